/// A connection that was accepted for gRPC, on its way there: as it is, or through TLS.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "serve/connection.h"
#include "serve/grpc_server.h"

namespace suanli::serve {

/// Hands the connection to `server`. `tls`, where it is not null: is spoken with the client, by us. `peer` counts the
/// connection, and is let go with it.
void serve_grpc(GrpcServer& server, Front& front, boost::asio::ip::tcp::socket socket,
                const std::shared_ptr<boost::asio::ssl::context>& tls, std::shared_ptr<void> peer);

}  // namespace suanli::serve

/// The server's side of TLS.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <memory>

namespace suanli::serve {

/// TLS 1.3 with this certificate chain and key (PEM). `client_authority`, where given: clients must show a certificate
/// that it signed. Throws UserError that names the file.
std::shared_ptr<boost::asio::ssl::context> tls_context(const std::filesystem::path& certificate,
                                                       const std::filesystem::path& private_key,
                                                       const std::filesystem::path& client_authority);

/// From now on clients must agree to speak HTTP/2 (ALPN h2), as those of gRPC do.
void require_http2(boost::asio::ssl::context& context);

}  // namespace suanli::serve

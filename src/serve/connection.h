/// HTTP/1.1 on one connection: reads requests within the limits, hands them to their handlers, sends what they answer.
#pragma once

#include <atomic>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "monitor/service_metrics.h"
#include "serve/gate.h"
#include "serve/router.h"

namespace suanli::serve {

using PlainStream = boost::beast::tcp_stream;
using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;
using LocalStream = boost::beast::basic_stream<boost::asio::local::stream_protocol>;

class AnyConnection {
 public:
  virtual ~AnyConnection() = default;
  /// Closes it as soon as no request is with a handler, and no answer on the way: one that reads, at once.
  virtual void close_when_idle() = 0;
};

/// What all connections share. Their set belongs to the network thread.
struct Front {
  const Limits& limits;
  monitor::ServiceMetrics& metrics;
  Gate& gate;
  std::set<AnyConnection*> connections = {};
  std::map<uint64_t, AnyConnection*> reading = {};  ///< wait for a request or the rest of one; the longest first
  uint64_t last_turn = 0;
  std::function<void()> can_make_room = [] {};  ///< called when one more reads
};

/// Starts to serve the routes of `router` over `stream`; the connection keeps itself alive until it is closed. `peer`
/// counts it, and is let go with it. `admin`: routes of that scope may be called, and no key is asked for.
template <class Stream>
void serve_connection(Front& front, const Router& router, Stream stream, std::shared_ptr<void> peer, bool admin);

}  // namespace suanli::serve

/// One request and its answer, as handlers see them: values, no bytes of HTTP and no sockets.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "infer/work.h"

namespace suanli::serve {

struct Request {
  std::string method, path, query = {};             ///< the path as it came, without the query
  std::map<std::string, std::string> headers = {};  ///< names in lower case; values of one name joined by ", "
  std::string body = {};
  std::vector<std::string> parameters = {};  ///< what stands for {...} in the route's pattern, decoded
  std::string id = {};                       ///< x-request-id, or one of our own
  std::string client = {};                   ///< name of the API key; empty without keys
  infer::Clock::time_point arrival = {}, deadline = {};

  /// Empty where there is none.
  std::string_view header(const std::string& lower_case_name) const {
    const auto found = headers.find(lower_case_name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  }
};

struct Response {
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// Handlers keep it as a shared pointer until they have answered; one that is let go unanswered answers 500. All
/// functions may be called from any thread.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const Request& request() const = 0;
  /// True as soon as the client has gone.
  virtual infer::Cancelled cancelled() const = 0;
  /// Which model and which error this request counts for in the metrics.
  virtual void counts_for(std::string model) = 0;

  /// Sends the answer that `make` returns, which runs on the network thread. Once; nothing after it.
  virtual void answer_with(std::function<Response()> make) = 0;
  void answer(Response response) {
    answer_with([kept = std::make_shared<Response>(std::move(response))] { return std::move(*kept); });
  }

  /// An answer that comes in parts: its head (the body of which is the first part), parts, the end.
  virtual void begin(Response head) = 0;
  virtual void write(std::string part) = 0;
  virtual void finish() = 0;
};

using ExchangePointer = std::shared_ptr<Exchange>;
using Handler = std::function<void(const ExchangePointer&)>;

}  // namespace suanli::serve

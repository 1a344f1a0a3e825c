#include "serve/http_message.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>

namespace suanli::serve {

namespace http = boost::beast::http;

void check_head(const Parser& parser, const Limits& limits) {
  const auto& head = parser.get();
  if (head.version() != 11 && head.version() != 10) throw RequestError(Fault::version, "expected HTTP/1.1");
  if (head.target().size() > limits.target_bytes) {
    throw RequestError(Fault::long_target,
                       "expected a target of at most " + std::to_string(limits.target_bytes) + " bytes");
  }
  if (static_cast<size_t>(std::distance(head.begin(), head.end())) > limits.header_count) {
    throw RequestError(Fault::long_head, "expected at most " + std::to_string(limits.header_count) + " headers");
  }
  if (head.version() == 11 && head.count(http::field::host) != 1) {
    throw RequestError(Fault::invalid, "expected one Host header");
  }
  const auto encoding = head[http::field::content_encoding];
  if (!encoding.empty() && !boost::beast::iequals(encoding, "identity")) {
    throw RequestError(Fault::media_type, "expected a body that is not compressed");
  }
}

Request request_of(const Parser& parser) {
  const auto& head = parser.get();
  const auto target = head.target();
  const size_t mark = std::min(target.find('?'), target.size());
  Request request{.method = std::string(head.method_string()), .path = std::string(target.substr(0, mark))};
  if (mark < target.size()) request.query = std::string(target.substr(mark + 1));
  for (const auto& field : head) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    std::string& value = request.headers[name];
    if (!value.empty()) value += ", ";
    value += std::string(field.value());
  }
  return request;
}

std::string request_id(const Request& request, uint64_t number) {
  const std::string_view given = request.header("x-request-id");
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  if (!given.empty() && given.size() <= 128 && std::ranges::all_of(given, plain)) return std::string(given);
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
  return digits;
}

infer::Clock::time_point deadline_of(const Request& request, const Limits& limits) {
  const auto latest = request.arrival + limits.deadline;
  const std::string_view asked = request.header("x-request-timeout-ms");
  if (asked.empty()) return latest;
  int64_t milliseconds = 0;
  const char* end = asked.data() + asked.size();
  if (std::from_chars(asked.data(), end, milliseconds).ptr != end || milliseconds < 1) {
    throw RequestError(Fault::invalid, "expected x-request-timeout-ms of at least 1");
  }
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(limits.deadline).count();
  return request.arrival + std::chrono::milliseconds(std::min<int64_t>(milliseconds, limit));
}

std::string_view key_of(const Request& request) {
  const std::string_view authorization = request.header("authorization");
  constexpr std::string_view kBearer = "Bearer ";
  if (authorization.size() > kBearer.size() &&
      boost::beast::iequals({authorization.data(), kBearer.size()}, {kBearer.data(), kBearer.size()})) {
    return authorization.substr(kBearer.size());
  }
  return request.header("x-api-key");
}

Message message_of(Response response, const Request& request, unsigned version, bool keep_alive, bool body) {
  Message message(static_cast<http::status>(response.status), version);
  message.set(http::field::server, "suanli/" SUANLI_VERSION);
  if (!response.content_type.empty()) message.set(http::field::content_type, response.content_type);
  if (!request.id.empty()) message.set("X-Request-Id", request.id);
  for (const auto& [name, value] : response.headers) message.insert(name, value);
  message.keep_alive(keep_alive);
  if (body) {
    message.body() = std::move(response.body);
    message.prepare_payload();
  } else {
    message.content_length(response.body.size());
  }
  return message;
}

}  // namespace suanli::serve

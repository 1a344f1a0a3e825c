/// Between Beast's messages and ours.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "serve/fault.h"
#include "serve/limits.h"

namespace suanli::serve {

using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
using Message = boost::beast::http::response<boost::beast::http::string_body>;

/// What is wrong with a head that parses. Throws RequestError.
void check_head(const Parser& parser, const Limits& limits);

/// Method, path, query and headers.
Request request_of(const Parser& parser);

/// x-request-id where it is at most 128 characters of those that need no care in a log, else `number` in hex.
std::string request_id(const Request& request, uint64_t number);

/// When the answer must be there: what x-request-timeout-ms asks for, within the limit. Throws RequestError.
infer::Clock::time_point deadline_of(const Request& request, const Limits& limits);

/// The key of "Authorization: Bearer ..." or "X-API-Key: ..."; empty where there is none.
std::string_view key_of(const Request& request);

/// The answer as it is sent; `body` false: its length alone (HEAD).
Message message_of(Response response, const Request& request, unsigned version, bool keep_alive, bool body);

}  // namespace suanli::serve

/// One question to another HTTP server: what the webhook and `suanli monitor` need.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace suanli::serve {

struct Url {
  bool tls = false;
  std::string host, port, path;  ///< the path with its query; "/" where there is none
};

/// http[s]://host[:port][/path], the host perhaps an address of IPv6 in brackets. Throws UserError that names `where`.
Url read_url(const std::string& text, const std::string& where);

struct HttpQuestion {
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::chrono::milliseconds patience = std::chrono::seconds(10);  ///< for connection and answer together
  std::filesystem::path authority = {};                           ///< PEM; empty: those that the system trusts
};

struct HttpAnswer {
  int status = 0;
  std::string body = {};
  std::string failure = {};  ///< why there is no answer
};

/// On a connection of its own, without redirections; answers of up to 16 MiB. The certificate of an https server must
/// be signed by an authority and name the host. Never throws for what the network does.
HttpAnswer ask_http(const Url& url, const HttpQuestion& question);

}  // namespace suanli::serve

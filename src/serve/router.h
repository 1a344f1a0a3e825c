/// Which handler a request belongs to, and what its caller must be allowed to do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/fault.h"

namespace suanli::serve {

/// What a key must allow. Only `open` needs none.
enum class Scope { open, infer, metrics, admin };

enum class BodyKind { json, binary };

struct Route {
  std::string method, pattern;  ///< "/v2/models/{model}/infer", "/v1/models/{model}:predict"
  Scope scope;
  Handler handler;
  ErrorForm error = plain_error;
  BodyKind body = BodyKind::json;
};

class Router {
 public:
  void add(Route route);

  struct Match {
    const Route* route = nullptr;              ///< null: see `allow`
    std::vector<std::string> parameters = {};  ///< percent-decoded
    std::string allow = {};                    ///< methods that the path has; empty: no such path
  };
  Match match(std::string_view method, std::string_view path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

/// "%41" as "A"; nothing of it decodes to "/" or NUL: such a path has no match.
bool percent_decode(std::string_view text, std::string& out);

}  // namespace suanli::serve

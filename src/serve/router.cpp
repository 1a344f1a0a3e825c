#include "serve/router.h"

#include <charconv>

namespace suanli::serve {

namespace {

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  for (size_t begin = 1; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    out.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

bool fits(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& path,
          std::vector<std::string>& parameters) {
  if (pattern.size() != path.size()) return false;
  parameters.clear();
  for (size_t i = 0; i < path.size(); ++i) {
    if (pattern[i].starts_with('{')) {
      const std::string_view ending = pattern[i].substr(pattern[i].find('}') + 1);
      if (!path[i].ends_with(ending) || path[i].size() == ending.size()) return false;
      const std::string_view name = path[i].substr(0, path[i].size() - ending.size());
      if (!percent_decode(name, parameters.emplace_back())) return false;
    } else if (pattern[i] != path[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool percent_decode(std::string_view text, std::string& out) {
  out.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    if (text.size() < i + 3) return false;
    const char* end = text.data() + i + 3;
    if (std::from_chars(text.data() + i + 1, end, value, 16).ptr != end || value == 0 || value == '/') return false;
    out += static_cast<char>(value);
    i += 2;
  }
  return true;
}

void Router::add(Route route) { routes_.push_back(std::move(route)); }

Router::Match Router::match(std::string_view method, std::string_view path) const {
  Match match;
  if (!path.starts_with('/')) return match;
  const auto wanted = segments(path);
  for (const Route& route : routes_) {
    if (!fits(segments(route.pattern), wanted, match.parameters)) continue;
    if (route.method == method) {
      match.route = &route;
      return match;
    }
    match.allow += (match.allow.empty() ? "" : ", ") + route.method;
  }
  match.parameters.clear();
  return match;
}

}  // namespace suanli::serve

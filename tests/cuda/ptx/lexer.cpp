#include "lexer.h"

#include <cctype>

namespace ptx {
namespace {

bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%' || c == '.';
}

}  // namespace

std::vector<Token> tokens_of(std::string_view source) {
  std::vector<Token> tokens;
  tokens.reserve(source.size() / 4);
  uint32_t line = 1;
  size_t at = 0;
  const auto peek = [&](size_t ahead) { return at + ahead < source.size() ? source[at + ahead] : '\0'; };
  while (at < source.size()) {
    const char c = source[at];
    if (c == '\n') {
      ++line, ++at;
    } else if (std::isspace(static_cast<unsigned char>(c)) || c == '\0') {
      ++at;
    } else if (c == '/' && peek(1) == '/') {
      while (at < source.size() && source[at] != '\n') ++at;
    } else if (c == '/' && peek(1) == '*') {
      for (at += 2; at < source.size() && !(source[at] == '*' && peek(1) == '/'); ++at) line += source[at] == '\n';
      at += 2;
    } else if (c == '"') {
      const size_t end = source.find('"', at + 1);
      tokens.push_back({source.substr(at + 1, end - at - 1), line});
      at = end == std::string_view::npos ? source.size() : end + 1;
    } else if (in_word(c)) {
      const size_t begin = at;
      while (at < source.size() && (in_word(source[at]) || (source[at] == ':' && peek(1) == ':') ||
                                    (source[at] == ':' && at > begin && source[at - 1] == ':'))) {
        ++at;
      }
      tokens.push_back({source.substr(begin, at - begin), line});
    } else {
      tokens.push_back({source.substr(at++, 1), line});
    }
  }
  tokens.push_back({{}, line});
  return tokens;
}

}  // namespace ptx

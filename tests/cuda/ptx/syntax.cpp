#include "syntax.h"

#include <charconv>

namespace ptx {
namespace {

bool starts_number(const Token& token) { return !token.text.empty() && (std::isdigit(token.text[0]) || token.is("-")); }

uint64_t bits_of(std::string_view text, int base) {
  if (!text.empty() && text.back() == 'U') text.remove_suffix(1);
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

}  // namespace

void Reader::fail(const std::string& expected) const {
  throw SyntaxError("[ptx] line " + std::to_string(peek().line) + ": expected " + expected + ", found '" +
                    std::string(peek().text) + "'");
}

bool Reader::accept(std::string_view text) {
  if (!peek().is(text)) return false;
  next();
  return true;
}

void Reader::expect(std::string_view text) {
  if (!accept(text)) fail("'" + std::string(text) + "'");
}

void Reader::skip_line() {
  for (const uint32_t line = peek().line; !at_end() && peek().line == line;) next();
}

void Reader::skip_braces() {
  expect("{");
  for (int depth = 1; depth > 0 && !at_end();) {
    if (peek().is("{")) ++depth;
    if (peek().is("}")) --depth;
    next();
  }
}

uint64_t Reader::number() {
  if (accept("-")) return -number();
  const std::string_view text = next().text;
  if (text.size() < 2 || text[0] != '0') return bits_of(text, 10);
  switch (text[1]) {
    case 'x':
    case 'X':
    case 'f':
    case 'F':
    case 'd':
    case 'D':
      return bits_of(text.substr(2), 16);
    case 'b':
    case 'B':
      return bits_of(text.substr(2), 2);
    default:
      return bits_of(text, 8);
  }
}

Variable Reader::variable() {
  Variable out;
  bool typed = false;
  uint32_t width = 1;
  while (peek().text.starts_with('.')) {
    const std::string_view word = next().text.substr(1);
    if (word == "align") {
      out.alignment = static_cast<uint32_t>(number());
    } else if (const auto type = type_named(word)) {
      out.type = *type, typed = true;
    } else if (word == "v2" || word == "v4") {
      width = word[1] - '0';
    } else if (word == "ptr") {
      // `.ptr .global .align 16` speaks of what the parameter points at
      while (peek().text.starts_with('.')) {
        if (next().is(".align")) number();
      }
    }
  }
  if (!typed) fail("a type");
  out.alignment = std::max(out.alignment, width * bytes_of(out.type));
  out.bytes = uint64_t{width} * bytes_of(out.type);
  out.name = next().text;
  if (accept("<")) {
    out.count = static_cast<uint32_t>(number()), out.numbered = true;
    expect(">");
  }
  while (accept("[")) {
    out.bytes *= peek().is("]") ? 0 : number();
    expect("]");
  }
  if (accept("=")) {
    int depth = 0;
    do {
      if (accept("{")) {
        ++depth;
      } else if (accept("}")) {
        --depth;
      } else if (!accept(",")) {
        if (starts_number(peek())) {
          out.initial.push_back({number(), {}});
        } else {
          Variable::Initial address{0, next().text};
          if (address.symbol == "generic") {
            expect("(");
            address.symbol = next().text;
            expect(")");
          }
          if (accept("+")) address.bits = number();
          out.initial.push_back(address);
        }
      }
    } while (depth > 0);
  }
  return out;
}

void Reader::base_and_offset(Operand& out) {
  if (starts_number(peek())) {
    out.offset = static_cast<int64_t>(number());
    return;
  }
  out.name = next().text;
  while (peek().is("+") || peek().is("-")) {
    accept("+");
    out.offset += static_cast<int64_t>(number());
  }
}

Operand Reader::operand() {
  Operand out;
  const auto elements_until = [&](std::string_view end) {
    while (!accept(end)) {
      out.elements.push_back(operand());
      accept(",");
    }
  };
  if (accept("!")) out.negated = true;
  if (accept("[")) {
    out.kind = Operand::Kind::address;
    base_and_offset(out);
    expect("]");
  } else if (accept("{")) {
    out.kind = Operand::Kind::vector;
    elements_until("}");
  } else if (accept("(")) {
    out.kind = Operand::Kind::list;
    elements_until(")");
  } else if (starts_number(peek())) {
    out.kind = Operand::Kind::number;
    out.bits = number();
  } else {
    base_and_offset(out);
    if (accept("|")) out.second = next().text;
  }
  return out;
}

Statement Reader::statement() {
  Statement out;
  out.line = peek().line;
  if (accept("@")) {
    out.guard_negated = accept("!");
    out.guard = next().text;
  }
  out.opcode = next().text;
  while (!peek().is(";")) {
    if (at_end()) fail("';'");
    out.operands.push_back(operand());
    accept(",");
  }
  next();
  return out;
}

}  // namespace ptx

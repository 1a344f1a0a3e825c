/// The grammar of PTX below the module: declarations and statements read from tokens.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "lexer.h"
#include "program.h"
#include "types.h"

namespace ptx {

/// The text is not PTX, or is PTX that the interpreter does not have: says the line and what stands there.
struct SyntaxError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One declared name: `.shared .align 16 .b8 tile[4096]`, `.reg .b32 %r<10>`, `.param .u64 k_param_0`.
struct Variable {
  std::string_view name;
  Type type = Type::b8;
  uint32_t alignment = 1;
  uint64_t bytes = 0;     // of all elements; 0 for `[]`
  uint32_t count = 1;     // `%r<count>`
  bool numbered = false;  // has `<count>`
  struct Initial {
    uint64_t bits = 0;
    std::string_view symbol;  // where the value is an address
  };
  std::vector<Initial> initial;
};

struct Operand {
  enum class Kind : uint8_t { name, number, address, vector, list } kind = Kind::name;
  std::string_view name;    // register, symbol or label; of an address its base, empty where that is a number
  std::string_view second;  // after '|'
  bool negated = false;     // '!'
  uint64_t bits = 0;        // number
  int64_t offset = 0;       // of a symbol or address
  std::vector<Operand> elements;
};

struct Statement {
  std::string_view guard;
  bool guard_negated = false;
  std::string_view opcode;
  std::vector<Operand> operands;
  uint32_t line = 0;
};

class Reader {
 public:
  Reader(const std::vector<Token>& tokens, size_t at) : tokens_(tokens), at_(at) {}

  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool accept(std::string_view text);
  void expect(std::string_view text);
  size_t position() const { return at_; }
  bool at_end() const { return peek().text.empty(); }
  void skip_line();
  void skip_braces();  // from '{' past its '}'

  /// Integer in any base, 0f and 0d as their bits; a '-' before it.
  uint64_t number();
  /// After the space directive, up to but not including ';', ',' or ')'.
  Variable variable();
  /// From the guard to ';'.
  Statement statement();
  [[noreturn]] void fail(const std::string& expected) const;

 private:
  Operand operand();
  void base_and_offset(Operand& out);

  const std::vector<Token>& tokens_;
  size_t at_;
};

}  // namespace ptx

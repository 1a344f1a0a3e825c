#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <string>

#include "base/concat.h"
#include "base/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace suanli {
namespace {

constexpr uint32_t kMatchLimit = 1'000'000;  // steps of one match attempt: milliseconds
constexpr uint32_t kHeapLimit = 64 << 10;    // KiB

std::string message_of(int error) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

struct MatchMemory {
  explicit MatchMemory(const pcre2_code* code)
      : data(pcre2_match_data_create_from_pattern(code, nullptr)), context(pcre2_match_context_create(nullptr)) {
    if (context == nullptr) return;
    pcre2_set_match_limit(context, kMatchLimit);
    pcre2_set_heap_limit(context, kHeapLimit);
  }
  MatchMemory(const MatchMemory&) = delete;
  MatchMemory& operator=(const MatchMemory&) = delete;
  ~MatchMemory() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
  }
  pcre2_match_data* data;
  pcre2_match_context* context;
};

}  // namespace

struct Regex::Code {
  explicit Code(pcre2_code* compiled) : code(compiled) {}
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() { pcre2_code_free(code); }
  pcre2_code* code;
};

Regex::Regex(std::string_view pattern, std::string_view where) {
  int error = 0;
  PCRE2_SIZE at = 0;
  const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options, &error, &at, nullptr);
  if (code == nullptr) {
    throw UserError(where,
                    concat("the pattern '", pattern, "' is not supported: ", message_of(error), " at byte ", at));
  }
  code_ = std::make_shared<const Code>(code);
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where it cannot, the interpreter matches
}

Regex Regex::literal(std::string_view text, std::string_view where) {
  std::string pattern;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x80 &&
        std::string_view("\\^$.[]|()?*+{}#-&~ \t\r\n\v\f").find(c) != std::string_view::npos) {
      pattern += '\\';
    }
    pattern += c;
  }
  return Regex(pattern, where);
}

void Regex::find_all(std::u32string_view text, std::vector<Match>& out) const {
  out.clear();
  std::string bytes;
  std::vector<uint32_t> starts;  // the byte at which each code point starts
  for (const char32_t c : text) {
    starts.push_back(static_cast<uint32_t>(bytes.size()));
    append_utf8(unicode::pattern_proxy(c), bytes);
  }
  starts.push_back(static_cast<uint32_t>(bytes.size()));
  const auto code_point = [&](size_t byte) {
    return static_cast<uint32_t>(std::lower_bound(starts.begin(), starts.end(), byte) - starts.begin());
  };
  const MatchMemory memory(code_->code);
  if (memory.data == nullptr || memory.context == nullptr) throw std::bad_alloc();
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(bytes.data());
  size_t from = 0;
  while (from <= bytes.size()) {
    uint32_t options = PCRE2_NO_UTF_CHECK;
    int found = pcre2_match(code_->code, subject, bytes.size(), from, options, memory.data, memory.context);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) {
      options |= PCRE2_NO_JIT;
      found = pcre2_match(code_->code, subject, bytes.size(), from, options, memory.data, memory.context);
    }
    if (found == PCRE2_ERROR_NOMATCH) return;
    if (found < 0) throw UserError("tokenizer", concat("a pattern could not be matched: ", message_of(found)));
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(memory.data);
    const size_t begin = std::max<size_t>(ends[0], from), end = ends[1];
    if (end < begin) throw UserError("tokenizer", "a pattern sets the start of its match behind its end (\\K)");
    const bool empty = begin == end;
    // An empty match right behind the last one does not count.
    if (!empty || out.empty() || starts[out.back().end] != end) out.push_back({code_point(begin), code_point(end)});
    from = empty ? (end < bytes.size() ? starts[code_point(end) + 1] : end + 1) : end;
  }
}

}  // namespace suanli

#include "monitor/label_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <new>

#include "base/concat.h"
#include "base/error.h"

namespace suanli::monitor {
namespace {

constexpr uint32_t kMatchSteps = 100'000;  // under a millisecond
constexpr uint32_t kMatchHeap = 1 << 10;   // KiB

std::string pattern_error(int error) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

}  // namespace

struct LabelPattern::Code {
  explicit Code(pcre2_code* compiled)
      : code(compiled),
        data(pcre2_match_data_create_from_pattern(code, nullptr)),
        context(pcre2_match_context_create(nullptr)) {}
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() {
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
  }
  pcre2_code* code;
  pcre2_match_data* data;  // an engine is one thread's
  pcre2_match_context* context;
};

LabelPattern::LabelPattern(std::string_view pattern, std::string_view where) : text_(pattern) {
  int error = 0;
  PCRE2_SIZE at = 0;
  const uint32_t options =
      PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options, &error, &at, nullptr);
  if (code == nullptr) {
    throw UserError(where, concat("expected a regular expression, got \"", pattern.substr(0, 60),
                                  "\": ", pattern_error(error), " at byte ", at));
  }
  auto shared = std::make_shared<const Code>(code);
  if (shared->data == nullptr || shared->context == nullptr) throw std::bad_alloc();
  pcre2_set_match_limit(shared->context, kMatchSteps);
  pcre2_set_heap_limit(shared->context, kMatchHeap);
  code_ = std::move(shared);
}

bool LabelPattern::matches(std::string_view value) const {
  const int found = pcre2_match(code_->code, reinterpret_cast<PCRE2_SPTR>(value.data()), value.size(), 0, 0,
                                code_->data, code_->context);
  if (found == PCRE2_ERROR_NOMATCH) return false;
  if (found < 0) {
    throw UserError("alert rules", concat("the pattern \"", text_.substr(0, 60), "\" cannot be matched with a label (",
                                          pattern_error(found), "); write a simpler one"));
  }
  return true;
}

}  // namespace suanli::monitor

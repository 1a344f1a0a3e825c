/// A regular expression of a tokenizer.json, over code points (PCRE2 with Unicode properties).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace suanli {

/// A range [begin, end) of positions of a text.
struct Match {
  uint32_t begin = 0;
  uint32_t end = 0;
};

class Regex {
 public:
  /// ^ and $ also match at lines, as in the Hugging Face tokenizers. Throws UserError (naming `where`) when the pattern
  /// is not one that PCRE2 knows.
  Regex(std::string_view pattern, std::string_view where);
  /// A pattern that matches `text` itself.
  static Regex literal(std::string_view text, std::string_view where);
  /// Replaces `out` by the matches from left to right, which do not overlap; empty ones are included.
  /// Throws UserError when the pattern needs more than a bounded amount of work on this text.
  void find_all(std::u32string_view text, std::vector<Match>& out) const;

 private:
  struct Code;
  std::shared_ptr<const Code> code_;
};

}  // namespace suanli

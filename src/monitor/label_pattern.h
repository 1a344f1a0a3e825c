/// A regular expression that a whole label value must match, as =~ of PromQL.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace suanli::monitor {

/// PCRE2 over UTF-8, anchored at both ends, '.' matches line feeds too. PromQL's RE2 knows no look-around and no back
/// references; they work here and should not be used.
class LabelPattern {
 public:
  /// Throws UserError, naming `where`, for a pattern that is none.
  LabelPattern(std::string_view pattern, std::string_view where);
  /// Throws UserError when the pattern needs more than a bounded amount of work on `value`.
  bool matches(std::string_view value) const;
  const std::string& text() const { return text_; }

 private:
  struct Code;
  std::string text_;
  std::shared_ptr<const Code> code_;
};

}  // namespace suanli::monitor

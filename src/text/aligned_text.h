/// Text under normalisation: code points, each with the range of the original text that it came from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace suanli {

/// A range [begin, end) of code points of the original text.
struct CharSpan {
  uint32_t begin = 0;
  uint32_t end = 0;
  bool operator==(const CharSpan&) const = default;
};

/// One code point of a rewritten text. `change` says where it stands against the old text: 0 replaces the next old
/// code point, 1 is inserted, -n replaces the next one and removes the n after it (the convention of the Hugging Face
/// tokenizers, on which their offsets rest).
struct Change {
  char32_t c = 0;
  int32_t change = 0;
};

/// The buffers are kept between texts: assign() does not allocate once they are large enough.
class AlignedText {
 public:
  /// The text itself: code point i spans [origin + i, origin + i + 1).
  void assign(std::u32string_view text, uint32_t origin);

  std::u32string chars;
  std::vector<CharSpan> spans;  // as long as chars
  uint32_t origin = 0;          // where the text starts in the original

  void clear();
  void push(char32_t c, CharSpan span) {
    chars.push_back(c);
    spans.push_back(span);
  }

  /// An empty list to fill for apply(); the memory is reused.
  std::vector<Change>& changes() {
    changes_.clear();
    return changes_;
  }
  /// Rewrites the text as changes() says. The first `removed` old code points are dropped. A replaced code point keeps
  /// its span; an inserted one takes the span of the old code point before it (at the start: the empty span at origin).
  void apply_changes(size_t removed = 0);

  /// Keeps the code points for which `keep` holds, with their spans.
  template <class Keep>
  void filter(Keep keep) {
    size_t n = 0;
    for (size_t i = 0; i < chars.size(); ++i) {
      if (!keep(chars[i])) continue;
      chars[n] = chars[i];
      spans[n++] = spans[i];
    }
    chars.resize(n);
    spans.resize(n);
  }

 private:
  std::vector<Change> changes_;
  std::u32string spare_chars_;
  std::vector<CharSpan> spare_spans_;
};

}  // namespace suanli

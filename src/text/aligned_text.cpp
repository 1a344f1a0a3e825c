#include "text/aligned_text.h"

#include <algorithm>

namespace suanli {

void AlignedText::assign(std::u32string_view text, uint32_t start) {
  origin = start;
  chars.assign(text);
  spans.resize(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const uint32_t at = start + static_cast<uint32_t>(i);
    spans[i] = {at, at + 1};
  }
}

void AlignedText::clear() {
  chars.clear();
  spans.clear();
}

void AlignedText::apply_changes(size_t removed) {
  spare_chars_.resize(changes_.size());
  spare_spans_.resize(changes_.size());
  size_t next = std::min(removed, chars.size());  // the next old code point to be replaced
  for (size_t i = 0; i < changes_.size(); ++i) {
    const auto [c, change] = changes_[i];
    spare_chars_[i] = c;
    if (change > 0 || next == chars.size()) {
      spare_spans_[i] = next == 0 ? CharSpan{origin, origin} : spans[next - 1];
    } else {
      spare_spans_[i] = spans[next];
      next = std::min(next + 1 + static_cast<size_t>(-change), chars.size());
    }
  }
  chars.swap(spare_chars_);
  spans.swap(spare_spans_);
}

}  // namespace suanli

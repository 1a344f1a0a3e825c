#include "text/text_stream.h"

namespace suanli {
namespace {

constexpr std::string_view kUnfinished = "\xEF\xBF\xBD";  // U+FFFD: the first bytes of a character

}  // namespace

TextStream::TextStream(Tokenizer tokenizer, std::span<const int32_t> before)
    : tokenizer_(std::move(tokenizer)),
      window_(before.begin(), before.end()),
      out_(window_.size()),
      known_(tokenizer_.decode(window_)) {}

void TextStream::close() {
  window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(out_));
  out_ = window_.size();
  known_ = tokenizer_.decode(window_);
}

std::string TextStream::add(int32_t id) {
  window_.push_back(id);
  const std::string whole = tokenizer_.decode(window_);
  if (whole.size() <= known_.size() || !whole.starts_with(known_) || whole.ends_with(kUnfinished)) return "";
  const size_t known = known_.size();
  close();
  return whole.substr(known);
}

std::string TextStream::rest() {
  const std::string whole = tokenizer_.decode(window_);
  std::string text =
      whole.starts_with(known_) ? whole.substr(known_.size()) : tokenizer_.decode(std::span(window_).subspan(out_));
  close();
  return text;
}

}  // namespace suanli

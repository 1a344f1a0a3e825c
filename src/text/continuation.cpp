#include "text/continuation.h"

#include <algorithm>

namespace suanli {

Continuation::Continuation(Tokenizer tokenizer, std::span<const int32_t> prompt, std::vector<std::string> stop_strings)
    : stream_(std::move(tokenizer), prompt), stops_(std::move(stop_strings)) {}

bool Continuation::take(std::span<const int32_t> ids) {
  for (const int32_t id : ids) append(stream_.add(id));
  tokens_ += ids.size();
  return stopped_;
}

void Continuation::end() {
  append(stream_.rest());
  if (!stopped_) certain_ = text_.size();
}

void Continuation::append(const std::string& text) {
  const size_t before = text_.size();
  text_ += text;
  if (stopped_) return;
  size_t first_end = std::string::npos;
  for (const std::string& stop : stops_) {
    const size_t begin = text_.find(stop, before - std::min(before, stop.size()));
    if (begin == std::string::npos) continue;
    const size_t end = begin + stop.size();
    if (!stopped_ || end < first_end) {
      certain_ = begin;
    } else if (end == first_end) {
      certain_ = std::min(certain_, begin);
    }
    first_end = std::min(first_end, end);
    stopped_ = true;
  }
  if (!stopped_) certain_ = possible_stop();
}

/// Where the longest end of the text begins that is the beginning of a stop string; the text's end where none is.
size_t Continuation::possible_stop() const {
  size_t longest = 0;
  for (const std::string& stop : stops_) {
    for (size_t size = std::min(text_.size(), stop.size()); size > longest; --size) {
      if (text_.ends_with(std::string_view(stop).substr(0, size))) longest = size;
    }
  }
  return text_.size() - longest;
}

}  // namespace suanli

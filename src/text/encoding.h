/// The tokens of a text, and how to ask for them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace suanli {

/// All lists are of one length, one entry a token.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<int32_t> types;                          // of the sequence: 0, or 1 for the second of a pair
  std::vector<std::pair<uint32_t, uint32_t>> offsets;  // [begin, end) in code points of the text; (0, 0): none
  std::vector<int32_t> word_ids;                       // the word of the text, counted from 0; -1: none
  std::vector<uint8_t> special;                        // 1: added around the text ([CLS], [SEP], padding)
  std::vector<uint8_t> attention;                      // 0: padding
  size_t size() const { return ids.size(); }
};

enum class TruncationStrategy { longest_first, only_first, only_second };
enum class Side { right, left };

struct EncodeOptions {
  int64_t max_length = 0;  // tokens with the special ones; 0: no truncation
  TruncationStrategy strategy = TruncationStrategy::longest_first;
  Side truncation_side = Side::right;
  bool add_special_tokens = true;
};

struct PaddingOptions {
  int64_t length = 0;       // 0: that of the longest of the batch
  int64_t multiple_of = 0;  // 0: any length
  Side side = Side::right;
  int32_t id = 0;
  int32_t type = 0;
};

/// Brings all encodings to one length (those that are longer stay as they are). Throws UserError for a negative length.
void pad(std::span<Encoding> batch, const PaddingOptions& options);

}  // namespace suanli

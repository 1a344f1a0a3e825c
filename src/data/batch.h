/// Unpadded batches: the tokens of several sequences one after another.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "image/annotated.h"

namespace suanli {

constexpr int32_t kIgnoredLabel = -100;  ///< a token without a label in the loss (PyTorch's ignore_index)

/// What a network gets of one example: a sequence of tokens, or a row of numbers such as a table's or an image's.
struct EncodedExample {
  std::vector<int32_t> ids, types;   ///< [n] each
  std::vector<float> features;       ///< numbers of a row of a table, values of an image; or empty
  std::vector<int32_t> categories;   ///< indices of a row of a table, one for each embedding; or empty
  std::vector<int32_t> labels;       ///< [n], or empty: a label a token, kIgnoredLabel where there is none
  std::vector<float> targets;        ///< a class id, a multi-hot row, or a score; or empty
  std::vector<ImageObject> objects;  ///< in a picture; or empty
  std::vector<uint8_t> special;      ///< [n]: 1 for [CLS], [SEP] and the like
  int64_t row = 0;                   ///< its number in the data set
  int64_t set = 0;                   ///< of which data set, where a task keeps several: see ImageClassification
};

/// B examples: sequences of T tokens in all, or rows of equal width.
struct Batch {
  std::vector<int32_t> ids, types;                ///< [T]
  std::vector<int32_t> positions;                 ///< [T], from 0 in each sequence; a model adds its own offset
  std::vector<int32_t> offsets;                   ///< [B+1]: sequence b is tokens offsets[b] to offsets[b+1] - 1
  std::vector<int32_t> token_labels;              ///< [T], or empty
  std::vector<float> features;                    ///< [B, feature_width], or empty
  std::vector<int32_t> categories;                ///< [B, category_width], or empty
  std::vector<float> targets;                     ///< [B, target_width], or empty
  std::vector<std::vector<ImageObject>> objects;  ///< [B]: of each picture
  int64_t feature_width = 0, category_width = 0, target_width = 0;
  std::vector<int64_t> rows;  ///< [B]: where each example comes from
  int64_t longest = 0;        ///< tokens of the longest sequence

  int64_t size() const { return static_cast<int64_t>(rows.size()); }
  int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
};

/// Packs examples in the order given. All of them have token labels or none has, and features, categories and targets
/// of one width (else our mistake). Throws UserError for more than 2^31 - 1 tokens or an example of nothing.
Batch pack(std::span<const EncodedExample> examples);

/// Joins the sequences and cuts them into blocks of `block_size` tokens (group_texts of Hugging Face's run_mlm). The
/// rest that fills no block is dropped, unless there is nothing else. The row of a block is its number. Targets and
/// token labels are not kept. Throws UserError for a block size under 2.
std::vector<EncodedExample> group_texts(std::span<const EncodedExample> examples, int64_t block_size);

/// Token labels from word labels: the first token of each word gets its label, every other token kIgnoredLabel
/// (run_ner of Hugging Face), or with `all_tokens` each token of the word. `word_ids[t]` is the word of token t, or -1.
std::vector<int32_t> align_labels(std::span<const int32_t> word_ids, std::span<const int32_t> word_labels,
                                  bool all_tokens = false);

}  // namespace suanli

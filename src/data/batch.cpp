#include "data/batch.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

template <class T>
void append(std::vector<T>* to, const std::vector<T>& from) {
  to->insert(to->end(), from.begin(), from.end());
}

}  // namespace

Batch pack(std::span<const EncodedExample> examples) {
  size_t tokens = 0;
  for (const EncodedExample& example : examples) tokens += example.ids.size();
  if (tokens > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    throw UserError("batch", concat(tokens, " tokens in one batch; at most 2^31 - 1 fit, make the batch smaller"));
  }
  Batch batch;
  batch.ids.reserve(tokens);
  batch.types.reserve(tokens);
  batch.positions.resize(tokens);
  batch.offsets.push_back(0);
  if (!examples.empty()) {
    batch.feature_width = static_cast<int64_t>(examples[0].features.size());
    batch.category_width = static_cast<int64_t>(examples[0].categories.size());
    batch.target_width = static_cast<int64_t>(examples[0].targets.size());
  }
  for (const EncodedExample& example : examples) {
    const size_t length = example.ids.size();
    if (length == 0 && example.features.empty() && example.categories.empty()) {
      throw UserError("batch", concat("row ", example.row, " has no token; remove it or give it text"));
    }
    SUANLI_ASSERT(example.types.size() == length);
    SUANLI_ASSERT(example.labels.size() == (examples[0].labels.empty() ? 0 : length));
    SUANLI_ASSERT(static_cast<int64_t>(example.features.size()) == batch.feature_width);
    SUANLI_ASSERT(static_cast<int64_t>(example.categories.size()) == batch.category_width);
    SUANLI_ASSERT(static_cast<int64_t>(example.targets.size()) == batch.target_width);
    const auto begin = batch.positions.begin() + batch.offsets.back();
    std::iota(begin, begin + static_cast<std::ptrdiff_t>(length), 0);
    append(&batch.ids, example.ids);
    append(&batch.types, example.types);
    append(&batch.token_labels, example.labels);
    append(&batch.features, example.features);
    append(&batch.categories, example.categories);
    append(&batch.targets, example.targets);
    batch.objects.push_back(example.objects);
    batch.offsets.push_back(static_cast<int32_t>(batch.ids.size()));
    batch.rows.push_back(example.row);
    batch.longest = std::max(batch.longest, static_cast<int64_t>(length));
  }
  return batch;
}

std::vector<EncodedExample> group_texts(std::span<const EncodedExample> examples, int64_t block_size) {
  if (block_size < 2) throw UserError("block_size", concat("expected at least 2 tokens, found ", block_size));
  const size_t size = static_cast<size_t>(block_size);
  std::vector<EncodedExample> blocks;
  EncodedExample open;
  const auto close = [&] {
    open.row = static_cast<int64_t>(blocks.size());
    blocks.push_back(std::move(open));
    open = EncodedExample();
  };
  for (const EncodedExample& example : examples) {
    for (size_t begin = 0; begin < example.ids.size();) {
      const size_t count = std::min(example.ids.size() - begin, size - open.ids.size());
      const auto add = [&](auto* to, const auto& from) {
        const auto first = from.begin() + static_cast<std::ptrdiff_t>(begin);
        to->insert(to->end(), first, first + static_cast<std::ptrdiff_t>(count));
      };
      add(&open.ids, example.ids);
      add(&open.types, example.types);
      add(&open.special, example.special);
      begin += count;
      if (open.ids.size() == size) close();
    }
  }
  if (blocks.empty() && !open.ids.empty()) close();
  return blocks;
}

std::vector<int32_t> align_labels(std::span<const int32_t> word_ids, std::span<const int32_t> word_labels,
                                  bool all_tokens) {
  std::vector<int32_t> labels(word_ids.size(), kIgnoredLabel);
  int32_t last = -1;
  for (size_t t = 0; t < word_ids.size(); ++t) {
    const int32_t word = word_ids[t];
    SUANLI_ASSERT(word < static_cast<int64_t>(word_labels.size()));
    if (word >= 0 && (all_tokens || word != last)) labels[t] = word_labels[static_cast<size_t>(word)];
    last = word;
  }
  return labels;
}

}  // namespace suanli

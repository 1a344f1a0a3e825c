#include "train/item_texts.h"

#include <algorithm>
#include <numeric>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/log.h"
#include "base/profile.h"
#include "formats/sentence_files.h"
#include "models/load.h"
#include "ops/cast.h"
#include "ops/embedding.h"
#include "ops/pooling.h"
#include "text/tokenizer.h"

namespace suanli {
namespace {

constexpr int64_t kTokensAtOnce = 4096;

/// The texts of `batch` packed.
models::PackedSequences packed_texts(std::span<const Encoding> texts, std::span<const size_t> batch) {
  std::vector<int32_t> ids, types, positions, offsets = {0};
  for (const size_t item : batch) {
    const Encoding& text = texts[item];
    ids.insert(ids.end(), text.ids.begin(), text.ids.end());
    types.insert(types.end(), text.types.begin(), text.types.end());
    for (size_t t = 0; t < text.ids.size(); ++t) positions.push_back(static_cast<int32_t>(t));
    offsets.push_back(static_cast<int32_t>(ids.size()));
  }
  return models::pack(ids, types, positions, offsets);
}

}  // namespace

Tensor item_text_vectors(const ItemTable& items, const std::filesystem::path& encoder, Device device) {
  const ProfileScope scope("item texts");
  const NoGradient guard;
  const models::Model model = models::load_model(encoder, {.device = device});
  const auto files = read_sentence_files(encoder);
  const Tokenizer tokenizer = Tokenizer::load(encoder);
  const bool first_token = files && files->pooling == SentencePooling::cls;
  log_info(concat("reading the texts of ", items.size(), " items by ", encoder.string()));

  std::vector<Encoding> texts;
  for (int32_t i = 0; i < items.size(); ++i) {
    texts.push_back(tokenizer.encode(text_of(items[i]), {.max_length = model.config().longest_sequence}));
  }
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](size_t item) { return texts[item].ids.size(); });

  const int64_t width = model.config().hidden_size;
  Tensor out = Tensor::empty({items.size(), width}, DType::f32);
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin, tokens = 0;
    while (end < order.size() && (end == begin || tokens + texts[order[end]].ids.size() <= kTokensAtOnce)) {
      tokens += texts[order[end++]].ids.size();
    }
    const auto batch = std::span(order).subspan(begin, end - begin);
    const models::PackedSequences sequences = packed_texts(texts, batch);
    const Tensor hidden = model.network->hidden_states(sequences, {});
    const Tensor pooled = first_token ? ops::index_select(hidden, models::first_tokens(sequences))
                                      : ops::segment_mean(hidden, sequences.offsets);
    const Tensor unit = ops::normalize(ops::cast(pooled, DType::f32)).to({});
    for (size_t i = 0; i < batch.size(); ++i) {
      const auto item = static_cast<int64_t>(batch[i]), row = static_cast<int64_t>(i);
      out.rows(item, item + 1).copy_from(unit.rows(row, row + 1));
    }
    begin = end;
  }
  return out;
}

void copy_encoder(const std::filesystem::path& encoder, const std::filesystem::path& to) {
  namespace fs = std::filesystem;
  if (fs::exists(to) && fs::equivalent(encoder, to)) return;
  fs::create_directories(to);
  fs::copy(encoder, to, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
}

}  // namespace suanli

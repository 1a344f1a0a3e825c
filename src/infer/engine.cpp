#include "infer/engine.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "autograd/tape.h"
#include "base/log.h"
#include "base/profile.h"
#include "ops/cast.h"
#include "ops/embedding.h"
#include "ops/pooling.h"

namespace suanli::infer {

namespace {

HostBatch gather(std::span<const TokenSequence> sequences, std::span<const size_t> chosen) {
  HostBatch batch;
  for (const size_t i : chosen) batch.add(sequences[i].ids, sequences[i].types);
  return batch;
}

/// The packed places of `id`.
Tensor rows_of(const Tensor& ids, int32_t id) {
  std::vector<int32_t> rows;
  const auto all = ids.host<int32_t>();
  for (size_t t = 0; t < all.size(); ++t) {
    if (all[t] == id) rows.push_back(static_cast<int32_t>(t));
  }
  return Tensor::from(rows, {static_cast<int64_t>(rows.size())});
}

/// How many rows of the output belong to one sequence.
int64_t rows_for(const TokenSequence& sequence, Output output, int32_t mask_id) {
  switch (output) {
    case Output::token_logits:
    case Output::span_logits:
    case Output::token_embeddings:
      return static_cast<int64_t>(sequence.ids.size());
    case Output::masked_lm:
      return std::ranges::count(sequence.ids, mask_id);
    default:
      return 1;
  }
}

}  // namespace

std::vector<std::vector<size_t>> plan_batches(std::span<const int64_t> lengths, int64_t tokens_per_batch) {
  std::vector<size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](size_t i) { return lengths[i]; });
  std::vector<std::vector<size_t>> batches;
  int64_t tokens = 0;
  for (const size_t i : order) {
    if (batches.empty() || tokens + lengths[i] > tokens_per_batch) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(i);
    tokens += lengths[i];
  }
  return batches;
}

/// What a forward pass needs; at one address as long as the engine lives.
struct Engine::State {
  models::Model model;
  EngineOptions options;
  Device device;
  std::map<Output, BucketGraphs> graphs = {};
  bool explained = false;  ///< that there are no graphs, and why

  Tensor forward(const models::PackedSequences& packed, Output output) const;
  Tensor network_output(const models::PackedSequences& packed, Output output) const;
};

/// In the dtype that the network computes in.
Tensor Engine::State::network_output(const models::PackedSequences& packed, Output output) const {
  const nn::Mode mode{.dtype = options.dtype};
  switch (output) {
    case Output::sequence_logits:
      return model.network->sequence_logits(packed, mode);
    case Output::token_logits:
      return model.network->token_logits(packed, mode);
    case Output::span_logits:
      return model.network->span_logits(packed, mode);
    case Output::masked_lm:
      return model.network->masked_lm_logits(packed, rows_of(packed.ids, options.mask_id), mode);
    case Output::embedding:
    case Output::token_embeddings:
      break;
  }
  return model.network->hidden_states(packed, mode);
}

Tensor Engine::State::forward(const models::PackedSequences& packed, Output output) const {
  const ProfileScope scope("forward");
  const NoGradient off;
  Tensor values = ops::cast(network_output(packed, output), DType::f32);
  if (output != Output::embedding) return values;
  const Tensor pooled = options.pooling.mean ? ops::segment_mean(values, packed.offsets)
                                             : ops::index_select(values, models::first_tokens(packed));
  return options.pooling.normalize ? ops::normalize(pooled) : pooled;
}

Engine::Engine(models::Model model, const EngineOptions& options) : state_(std::make_shared<State>()) {
  state_->model = std::move(model);
  state_->options = options;
  state_->device = state_->model.parameters->all().front().value.device();
}

const models::Model& Engine::model() const { return state_->model; }

size_t Engine::graphs() const {
  size_t count = 0;
  for (const auto& [output, graphs] : state_->graphs) count += graphs.recorded();
  return count;
}

bool Engine::may_replay(const HostBatch& batch, Output output) const {
  if (!state_->options.cuda_graphs || state_->device == Device{}) return false;
  const char* reason = output == Output::masked_lm ? "the number of masks decides the sizes"
                       : profiling()               ? "a profile shows each kernel"
                       : state_->model.network->lengths_decide_launches()
                           ? "the lengths of its sequences decide which kernels run"
                           : nullptr;
  if (reason != nullptr) {
    if (!state_->explained) log_info(std::string("[graph] nothing is recorded: ") + reason);
    state_->explained = true;
    return false;
  }
  const models::ModelConfig& config = state_->model.config();
  const auto within = [](const std::vector<int32_t>& values, int64_t end) {
    return std::ranges::all_of(values, [&](int32_t value) { return value >= 0 && value < end; });
  };
  return batch.types.size() == batch.ids.size() && std::ranges::adjacent_find(batch.offsets) == batch.offsets.end() &&
         within(batch.ids, config.vocab_size) && within(batch.positions, config.longest_sequence) &&
         (config.type_vocab_size == 0 || within(batch.types, config.type_vocab_size));
}

Tensor Engine::compute(const HostBatch& batch, Output output) const {
  if (may_replay(batch, output)) {
    const auto graphs =
        state_->graphs.try_emplace(output, state_->device, state_->model.config().longest_sequence,
                                   [state = state_.get(), output](const models::PackedSequences& packed) {
                                     return state->forward(packed, output);
                                   });
    if (auto replayed = graphs.first->second.run(batch)) return *replayed;
  }
  return state_->forward(models::pack(batch.ids, batch.types, batch.positions, batch.offsets), output);
}

std::vector<std::vector<float>> Engine::run(std::span<const TokenSequence> sequences, Output output) const {
  std::vector<int64_t> lengths;
  for (const TokenSequence& sequence : sequences) lengths.push_back(static_cast<int64_t>(sequence.ids.size()));
  std::vector<std::vector<float>> results(sequences.size());
  const auto collect = [&](const std::vector<size_t>& batch, const Fetch& fetch) {
    const Tensor rows = fetch.wait();
    auto values = rows.host<float>();
    for (const size_t i : batch) {
      const auto count = static_cast<size_t>(rows_for(sequences[i], output, state_->options.mask_id) * rows.dim(1));
      results[i].assign(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
      values = values.subspan(count);
    }
  };
  const auto batches = plan_batches(lengths, state_->options.tokens_per_batch);
  std::optional<Fetch> earlier;  // of batch k - 1, while batch k is queued
  for (size_t k = 0; k <= batches.size(); ++k) {
    std::optional<Fetch> queued;
    if (k < batches.size()) queued.emplace(compute(gather(sequences, batches[k]), output));
    if (earlier) collect(batches[k - 1], *earlier);
    earlier = std::move(queued);
  }
  return results;
}

}  // namespace suanli::infer

#include "train/step_timing.h"

#include <algorithm>

#include "autograd/tape.h"
#include "base/clock.h"
#include "ops/loss.h"
#include "ops/pooling.h"
#include "optim/gradients.h"
#include "optim/optimizer.h"

namespace suanli {

namespace {

models::PackedSequences random_batch(const std::vector<int64_t>& lengths, int64_t vocab) {
  std::vector<int32_t> ids, types, positions, offsets = {0};
  RandomGenerator random({7, 0, 0});
  for (const int64_t length : lengths) {
    for (int64_t place = 0; place < length; ++place) {
      ids.push_back(static_cast<int32_t>(random.below(static_cast<uint64_t>(vocab))));
      types.push_back(0);
      positions.push_back(static_cast<int32_t>(place));
    }
    offsets.push_back(static_cast<int32_t>(ids.size()));
  }
  return models::pack(ids, types, positions, offsets);
}

/// Every `stride`-th number from 0 to under `count`.
Tensor every(int64_t count, int64_t stride, int64_t modulo) {
  std::vector<int32_t> out;
  for (int64_t i = 0; i < count; i += stride) out.push_back(static_cast<int32_t>(i % modulo));
  return Tensor::from(out, {static_cast<int64_t>(out.size())});
}

/// Operations of one forward pass: products with the weights of all tokens, and attention within each sequence.
double forward_operations(const models::BertConfig& c, const std::vector<int64_t>& lengths) {
  double sum = 0;
  for (const auto n : lengths) {
    const double per_token =
        2.0 * static_cast<double>(4 * c.hidden_size * c.hidden_size + 2 * c.hidden_size * c.intermediate_size);
    sum += static_cast<double>(c.layers * n) * (per_token + 4.0 * static_cast<double>(n * c.hidden_size));
  }
  return sum;
}

StepTiming prepared(const std::vector<int64_t>& lengths) {
  StepTiming timing;
  timing.sequences = static_cast<double>(lengths.size());
  for (const auto n : lengths) timing.tokens += static_cast<double>(n);
  backend(Device{}).reset_peak();
  return timing;
}

}  // namespace

double StepTiming::median() const {
  std::vector<double> sorted = seconds;
  std::ranges::sort(sorted);
  return sorted.empty() ? 0 : sorted[sorted.size() / 2];
}

StepTiming time_training(const std::filesystem::path& folder, models::Head head, const std::vector<int64_t>& lengths,
                         DType dtype, int64_t steps) {
  const models::Model model =
      models::load_model(folder, {.head = head, .labels = {"negative", "positive"}, .trainable = true});
  const auto batch = random_batch(lengths, model.config.vocab_size);
  const bool masked = head == models::Head::masked_lm;
  const Tensor rows = every(batch.ids.dim(0), 7, batch.ids.dim(0));
  const Tensor labels =
      masked ? every(rows.dim(0), 1, model.config.vocab_size) : every(static_cast<int64_t>(lengths.size()), 1, 2);
  const auto optimizer = optim::adamw(model.parameters->all(), {});

  StepTiming timing = prepared(lengths);
  timing.operations = 3 * forward_operations(model.config, lengths);
  if (masked) {
    timing.operations += 6.0 * static_cast<double>(rows.dim(0) * model.config.hidden_size) *
                         static_cast<double>(model.config.vocab_size + model.config.hidden_size);
  }
  for (int64_t step = -2; step < steps; ++step) {
    const double start = seconds_now();
    const nn::Mode mode{.training = true, .dtype = dtype, .seed = 1, .step = static_cast<uint32_t>(step + 2)};
    backward(ops::cross_entropy(
        masked ? model.network->masked_lm_logits(batch, rows, mode) : model.network->sequence_logits(batch, mode),
        labels));
    const auto norm = optim::gradient_norm(model.parameters->all());
    optimizer->step(5e-5, optim::clipping_factor(norm.norm, 1.0));
    optim::clear_gradients(model.parameters->all());
    if (step >= 0) timing.seconds.push_back(seconds_now() - start);
  }
  timing.peak_bytes = backend(Device{}).statistics().peak_bytes;
  return timing;
}

StepTiming time_inference(const std::filesystem::path& folder, const std::vector<int64_t>& lengths, DType dtype,
                          double seconds) {
  const NoGradient off;
  const models::Model model = models::load_model(folder, {.head = models::Head::none, .matrix_dtype = dtype});
  const auto batch = random_batch(lengths, model.config.vocab_size);
  StepTiming timing = prepared(lengths);
  timing.operations = forward_operations(model.config, lengths);
  const double end = seconds_now() + seconds;
  for (int step = -2; step < 5 || seconds_now() < end; ++step) {
    const double start = seconds_now();
    ops::segment_mean(model.network->hidden_states(batch, {.dtype = dtype}), batch.offsets);
    if (step >= 0) timing.seconds.push_back(seconds_now() - start);
  }
  timing.peak_bytes = backend(Device{}).statistics().peak_bytes;
  return timing;
}

}  // namespace suanli

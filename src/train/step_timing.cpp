#include "train/step_timing.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "autograd/tape.h"
#include "base/clock.h"
#include "base/profile.h"
#include "models/bert/config.h"
#include "ops/linear_cross_entropy.h"
#include "ops/pooling.h"
#include "optim/gradients.h"
#include "optim/optimizer.h"
#include "train/step_graphs.h"

namespace suanli {

namespace {

constexpr int64_t kWarmUp = 2;       // untimed steps, and on a device so many of each shape: the second records it
constexpr int64_t kMaskedEvery = 7;  // of the tokens one is predicted

/// models::packed_array() of random ids.
Tensor random_batch(const std::vector<int64_t>& lengths, int64_t vocab) {
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
  return models::packed_array(ids, types, positions, offsets);
}

/// Every `stride`-th number from 0 to under `count`.
Tensor every(int64_t count, int64_t stride, int64_t modulo) {
  std::vector<int32_t> out;
  for (int64_t i = 0; i < count; i += stride) out.push_back(static_cast<int32_t>(i % modulo));
  Tensor numbers = Tensor::from(out, {static_cast<int64_t>(out.size())});
  numbers.make_constant();
  return numbers;
}

Tensor one_number(int64_t number) {
  Tensor tensor = Tensor::from(std::vector<int32_t>{static_cast<int32_t>(number)}, {1});
  tensor.make_constant();
  return tensor;
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

/// The batches of a run in turn, and what was done with them.
class Steps {
 public:
  Steps(models::BertConfig config, const BatchLengths& lengths, Device device, bool training, bool masked)
      : warm_up_(training && device != Device{} ? kWarmUp * static_cast<int64_t>(lengths.size()) : kWarmUp),
        lengths_(lengths),
        config_(std::move(config)),
        backend_(backend(device)),
        training_(training),
        masked_(masked) {
    for (const auto& batch : lengths) batches_.push_back(random_batch(batch, config_.vocab_size));
    backend_.reset_peak();
  }

  /// Steps that are not counted.
  int64_t warm_up() const { return warm_up_; }
  const Tensor& batch(int64_t step) const { return batches_[place(step)]; }
  int64_t tokens(int64_t step) const {
    return std::accumulate(lengths_[place(step)].begin(), lengths_[place(step)].end(), int64_t{0});
  }
  size_t place(int64_t step) const { return static_cast<size_t>(step) % batches_.size(); }

  /// Ends a step that began at `start`.
  void end(int64_t step, double start) {
    backend_.synchronize(backend_.default_stream());
    if (step >= warm_up_) add(step, seconds_now() - start);
  }
  StepTiming finish() {
    timing_.peak_bytes = backend_.statistics().peak_bytes;
    return timing_;
  }

 private:
  void add(int64_t step, double seconds) {
    const auto& lengths = lengths_[place(step)];
    const double tokens = std::accumulate(lengths.begin(), lengths.end(), 0.0);
    double operations = forward_operations(config_, lengths);
    if (masked_) {
      operations += 2.0 * std::ceil(tokens / kMaskedEvery) * static_cast<double>(config_.hidden_size) *
                    static_cast<double>(config_.vocab_size + config_.hidden_size);
    }
    timing_.seconds.push_back(seconds);
    timing_.tokens += tokens;
    timing_.sequences += static_cast<double>(lengths.size());
    timing_.operations += (training_ ? 3 : 1) * operations;
  }

  const int64_t warm_up_;
  const BatchLengths& lengths_;
  const models::BertConfig config_;
  DeviceBackend& backend_;
  bool training_, masked_;
  std::vector<Tensor> batches_;
  StepTiming timing_;
};

}  // namespace

double StepTiming::total() const { return std::accumulate(seconds.begin(), seconds.end(), 0.0); }

double StepTiming::median() const {
  std::vector<double> sorted = seconds;
  std::ranges::sort(sorted);
  return sorted.empty() ? 0 : sorted[sorted.size() / 2];
}

StepTiming time_training(const std::filesystem::path& folder, models::Head head, const BatchLengths& batches,
                         DType dtype, int64_t steps, Device device) {
  const models::Model model = models::load_model(
      folder, {.head = head, .labels = {"negative", "positive"}, .trainable = true, .device = device});
  const bool masked = head == models::Head::masked_lm;
  const auto optimizer = optim::adamw(model.parameters->all(), {});
  std::optional<StepGraphs> graphs;
  if (device != Device{}) graphs.emplace(model);
  Steps run(models::bert_config(model.config().json, "config.json"), batches, device, true, masked);
  for (int64_t step = 0; step < run.warm_up() + steps; ++step) {
    const int64_t tokens = run.tokens(step);
    const auto sequences = static_cast<int64_t>(batches[run.place(step)].size());
    const Tensor rows = every(tokens, kMaskedEvery, tokens);
    const Tensor labels = masked ? every(rows.dim(0), 1, model.config().vocab_size) : every(sequences, 1, 2);
    const StepInputs inputs = {.micro_batches = {{.packed = run.batch(step),
                                                  .rows = rows,
                                                  .labels = labels,
                                                  .targets = {},
                                                  .tokens = tokens,
                                                  .classes = masked ? model.config().vocab_size : 2}},
                               .numbers = one_number(step),
                               .items = labels.dim(0)};
    const auto queue = [&](const StepInputs& of, const uint32_t* number) {
      const LossInputs& batch = of.micro_batches.front();
      const nn::Mode mode{
          .training = true, .dtype = dtype, .seed = 1, .step = static_cast<uint32_t>(step), .step_on_device = number};
      const auto forward = [&] {
        const ProfileScope scope("forward");
        if (!masked) return ops::cross_entropy(model.network->sequence_logits(batch.sequences(), mode), batch.labels);
        const models::VocabularyHead guess = model.network->masked_lm_head(batch.sequences(), batch.rows, mode);
        return ops::linear_cross_entropy(guess.hidden, guess.weight, guess.bias, batch.labels);
      };
      Tensor loss = forward();
      {
        const ProfileScope scope("backward");
        backward(loss, optimizer->loss_scale());
      }
      const ProfileScope scope("optimizer");
      optimizer->update(1.0);
      optim::clear_gradients(model.parameters->trained());
      return loss;
    };
    const double start = seconds_now();
    const ProfileScope whole_step("step");
    optimizer->prepare(5e-5);
    if (!graphs || !graphs->run(inputs, queue)) queue(inputs, nullptr);
    optimizer->finish();
    run.end(step, start);
  }
  return run.finish();
}

StepTiming time_inference(const std::filesystem::path& folder, const BatchLengths& batches,
                          const nn::InferencePrecision& precision, double seconds, Device device) {
  const NoGradient off;
  const models::Model model = models::load_model(
      folder, {.head = models::Head::none, .matrix_dtype = precision.dtype, .int8 = precision.int8, .device = device});
  Steps run(models::bert_config(model.config().json, "config.json"), batches, device, false, false);
  const double end = seconds_now() + seconds;
  for (int64_t step = 0; step < run.warm_up() + 5 || seconds_now() < end; ++step) {
    const models::PackedSequences batch = models::packed_views(run.batch(step), run.tokens(step));
    const double start = seconds_now();
    const ProfileScope scope("forward");
    ops::segment_mean(model.network->hidden_states(batch, {.dtype = precision.dtype}), batch.offsets);
    run.end(step, start);
  }
  return run.finish();
}

}  // namespace suanli

#include "train/step_graphs.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "base/profile.h"
#include "data/batch.h"
#include "optim/gradients.h"

namespace suanli {
namespace {

/// The tensors of a step, in an order that its shape decides.
std::vector<Tensor> tensors_of(const StepInputs& inputs) {
  std::vector<Tensor> all = {inputs.numbers};
  for (const LossInputs& batch : inputs.micro_batches) {
    for (const Tensor& tensor : batch.all()) {
      if (tensor.defined()) all.push_back(tensor);
    }
  }
  return all;
}

int64_t longest(const models::PackedSequences& sequences) {
  int64_t longest = 0;
  const auto offsets = sequences.offsets.host<int32_t>();
  for (size_t b = 1; b < offsets.size(); ++b) longest = std::max<int64_t>(longest, offsets[b] - offsets[b - 1]);
  return longest;
}

/// All that the kernels of a step are launched with.
std::vector<int64_t> shape_of(const StepInputs& inputs) {
  std::vector<int64_t> shape = {inputs.items};
  for (const LossInputs& batch : inputs.micro_batches) {
    shape.insert(shape.end(), {batch.tokens, batch.packed.defined() ? longest(batch.sequences()) : 0});
    for (const Tensor& tensor : batch.all()) {
      shape.push_back(tensor.defined() ? tensor.elements() : -1);
    }
  }
  return shape;
}

bool within(const Tensor& values, int64_t end, int64_t also) {
  return std::ranges::all_of(values.host<int32_t>(),
                             [&](int32_t value) { return (value >= 0 && value < end) || value == also; });
}

/// What the ops check of a batch while they are recorded: a replay would read beyond the tables.
bool valid(const LossInputs& batch, const models::ModelConfig& config) {
  if (batch.labels.defined() && !within(batch.labels, batch.classes, kIgnoredLabel)) return false;
  if (!batch.packed.defined()) return true;
  const models::PackedSequences sequences = batch.sequences();
  return within(sequences.ids, config.vocab_size, 0) && within(sequences.positions, config.longest_sequence, 0) &&
         (config.type_vocab_size == 0 || within(sequences.types, config.type_vocab_size, 0));
}

std::string text_of(const StepInputs& inputs) {
  std::string text;
  for (const LossInputs& batch : inputs.micro_batches) {
    if (!text.empty()) text += ", ";
    if (!batch.packed.defined()) {
      text += "rows";
      continue;
    }
    text += std::to_string(batch.tokens) + " tokens in " + std::to_string(batch.sequences().offsets.dim(0) - 1) +
            " sequences of at most " + std::to_string(longest(batch.sequences()));
  }
  return text + "; " + std::to_string(inputs.items) + " items";
}

}  // namespace

StepGraphs::StepGraphs(const models::Model& model)
    : model_(model), device_(model.parameters->all().front().value.device()) {}

std::optional<Tensor> StepGraphs::run(const StepInputs& inputs, const Step& step) {
  if (!may_replay(inputs)) return std::nullopt;
  const Shape shape = shape_of(inputs);
  if (!entries_.contains(shape)) {
    if (entries_.size() == kMost) make_room();
    entries_[shape].last_use = ++uses_;
    return std::nullopt;  // seen once: not worth recording
  }
  Entry& entry = entries_[shape];
  entry.last_use = ++uses_;
  if (entry.graph) {
    const std::vector<Tensor> now = tensors_of(inputs), recorded = tensors_of(entry.inputs);
    for (size_t i = 0; i < now.size(); ++i) recorded[i].on(device_).copy_from(now[i]);
  } else if (!record(inputs, step, entry)) {
    return std::nullopt;
  }
  entry.graph->replay();
  return entry.losses;
}

bool StepGraphs::may_replay(const StepInputs& inputs) {
  if (profiling()) explain("a profile shows each kernel");
  if (model_.network->lengths_decide_launches()) {
    explain("the lengths of its sequences decide which kernels run");
    return false;
  }
  return !off_ && !profiling() && std::ranges::all_of(inputs.micro_batches, [&](const LossInputs& batch) {
    return valid(batch, model_.config());
  });
}

void StepGraphs::make_room() {
  const auto oldest = std::ranges::min_element(entries_, {}, [](const auto& each) { return each.second.last_use; });
  if (!oldest->second.graph) {
    explain("steps have more than " + std::to_string(kMost) +
            " shapes in turn; those that are not seen again before that run kernel by kernel");
  }
  entries_.erase(oldest);
}

bool StepGraphs::record(const StepInputs& inputs, const Step& step, Entry& entry) try {
  // Graphs have memory of their own: what steps before have left free would be held beside it.
  if (recorded() == 0) backend(device_).trim();
  entry.inputs = inputs;
  const std::vector<Tensor> tensors = tensors_of(inputs);
  for (const Tensor& tensor : tensors) tensor.on(device_);
  const auto* numbers = static_cast<const uint32_t*>(inputs.numbers.on(device_).data());
  entry.graph = backend(device_).capture([&] { entry.losses = step(inputs, numbers); });
  off_ = entry.graph == nullptr;
  if (!off_ && log_topic("graphs")) log_info("[graph] recorded " + text_of(inputs));
  return !off_;
} catch (const EnvironmentError& error) {
  explain(error.what());
  optim::clear_gradients(model_.parameters->trained());
  entries_.clear();
  backend(device_).trim();
  off_ = true;
  return false;
}

size_t StepGraphs::recorded() const {
  return static_cast<size_t>(
      std::ranges::count_if(entries_, [](const auto& each) { return each.second.graph != nullptr; }));
}

void StepGraphs::explain(const std::string& reason) {
  if (!explained_) log_info("[graph] not all steps are recorded: " + reason);
  explained_ = true;
}

}  // namespace suanli

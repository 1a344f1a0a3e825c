/// Training steps replayed as device graphs: what the host would queue kernel by kernel is recorded once for each shape
/// of a step.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "models/load.h"
#include "train/task.h"

namespace suanli {

/// All that a step reads from the host, but the scalars that optim::Optimizer::prepare() brings.
struct StepInputs {
  std::vector<LossInputs> micro_batches = {};  ///< each has items
  Tensor numbers = {};                         ///< [micro batches] i32, constant: their places in the random stream
  int64_t items = 0;                           ///< of all, by which the loss is divided
  int64_t losses = 0;                          ///< micro batches, those without items too
};

/// The graphs of one kind of step. A shape (of each micro batch: tokens, sequences, the longest of them, labels; items
/// in all) is recorded when it is seen the second time; the least recently used of more than kMost goes. Where a step
/// cannot be recorded, or there is no memory for it beside the others, none is any more. Thread compatible.
class StepGraphs {
 public:
  static constexpr size_t kMost = 32;
  /// Queues forward, backward and update and returns the losses. `numbers`: null, or where the device finds those of
  /// the inputs.
  using Step = std::function<Tensor(const StepInputs& inputs, const uint32_t* numbers)>;

  /// Of steps of `model`, which outlives the graphs.
  explicit StepGraphs(const models::Model& model);
  /// The losses of a step with these inputs, overwritten by the next one of their shape; nothing where it is not
  /// recorded (yet), and then nothing was done. Steps differ in their inputs alone from call to call.
  std::optional<Tensor> run(const StepInputs& inputs, const Step& step);
  size_t recorded() const;

 private:
  struct Entry {
    StepInputs inputs = {};  ///< of the recording; the device's copies of them are what it reads
    Tensor losses = {};
    std::unique_ptr<DeviceGraph> graph = {};  ///< gone before the memory that it uses
    int64_t last_use = 0;
  };
  using Shape = std::vector<int64_t>;

  bool may_replay(const StepInputs& inputs);
  void make_room();
  bool record(const StepInputs& inputs, const Step& step, Entry& entry);
  void explain(const std::string& reason);

  const models::Model& model_;
  Device device_;
  std::map<Shape, Entry> entries_;
  int64_t uses_ = 0;
  bool off_ = false, explained_ = false;
};

}  // namespace suanli

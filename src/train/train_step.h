/// One optimizer step: forward and backward over its micro batches, clipping, update; or nothing at all.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "dist/communicator.h"
#include "optim/optimizer.h"
#include "train/step_graphs.h"
#include "train/task.h"

namespace suanli {

struct StepOptions {
  double learning_rate = 0;
  double max_grad_norm = 1;  ///< 0: no clipping
  double loss_scale = 1;     ///< gradients are computed of loss_scale * loss, then divided by it
  DType dtype = DType::f32;
  uint64_t seed = 0;
  std::function<Tensor()> penalty = {};  ///< a term of the loss beside that of the data, [1] on the tape; or none
  uint32_t first_micro_step = 0;  ///< number of the first micro batch in the whole run: the place in the random stream
  dist::Communicator* ranks = nullptr;  ///< the processes that have the other shares of the micro batches; or none
};

struct StepResult {
  double loss = 0;           ///< mean over the items of all micro batches, without the penalty
  double gradient_norm = 0;  ///< before clipping
  int64_t items = 0, tokens = 0, sequences = 0;
  std::string not_finite;  ///< the first tensor that is not finite: "loss" or a parameter; then nothing has changed
};

/// The gradient is that of the mean loss over all items of the micro batches, however they are cut. Where the loss or a
/// gradient is not finite, or no batch has an item, weights and optimizer stay as they are. Gradients are cleared. The
/// host waits for a device once, at the end. With `graphs`, of this model alone, what the device does is replayed where
/// it was recorded, to the same bits; calls with the same graphs differ in batches, learning rate, loss scale and
/// first_micro_step alone. With `ranks`, all of which call it with as many micro batches, the items are those of all
/// ranks, the result is that of all, and the weights stay equal; graphs are not for that.
StepResult train_step(const Task& task, std::span<const Batch> micro_batches, const models::Model& model,
                      optim::Optimizer& optimizer, const StepOptions& options, StepGraphs* graphs = nullptr);

}  // namespace suanli

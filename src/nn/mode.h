/// How a forward pass runs: for training or not, in which dtype, and at which place of the random stream.
#pragma once

#include "ops/dropout.h"

namespace suanli::nn {

struct Mode {
  bool training = false;                     ///< dropout on
  DType dtype = DType::f32;                  ///< of activations; parameters keep theirs
  uint64_t seed = 0;                         ///< of the run
  uint32_t step = 0;                         ///< micro step: one number per forward pass of a run
  const uint32_t* step_on_device = nullptr;  ///< the same where a device reads it; see kernels/dropout_key.h
};

/// Dropout with a place in the program of its own.
struct Dropout {
  float probability = 0;
  uint32_t site = 0;
  /// The key of this pass; probability 0 outside training.
  ops::DropoutKey key(const Mode& mode) const {
    return {mode.training ? probability : 0.0F, {mode.seed, mode.step, site}, mode.step_on_device};
  }
  Tensor operator()(const Tensor& x, const Mode& mode) const { return ops::dropout(x, key(mode)); }
};

}  // namespace suanli::nn

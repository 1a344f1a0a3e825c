/// Times the steps of a model as `suanli bench` reports them: real tokens, share of the measured peak, peak memory.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/load.h"
#include "nn/precision.h"

namespace suanli {

struct StepTiming {
  std::vector<double> seconds;  ///< of each timed step
  double tokens = 0;            ///< real tokens of all timed steps (padding does not exist)
  double sequences = 0;         ///< of all timed steps
  double operations = 0;        ///< multiply-adds of the matrix products of all timed steps, times two
  int64_t peak_bytes = 0;       ///< in tensors
  double total() const;         ///< seconds of all timed steps
  double median() const;
};

/// The lengths of the sequences of each step; steps take the batches in turn.
using BatchLengths = std::vector<std::vector<int64_t>>;

/// Training steps (forward, backward, clipping at 1.0, AdamW) on random ids of the given lengths, dropout as in
/// config.json. `head` is masked_lm (one token in seven is predicted) or sequence_classification (two labels).
/// Two untimed steps come first; a step ends when the device has done its work. Throws UserError like load_model.
StepTiming time_training(const std::filesystem::path& model, models::Head head, const BatchLengths& batches,
                         DType dtype, int64_t steps, Device device = {});

/// Forward passes to sentence vectors (mean pooling), for about `seconds`, at least five.
StepTiming time_inference(const std::filesystem::path& model, const BatchLengths& batches,
                          const nn::InferencePrecision& precision, double seconds, Device device = {});

}  // namespace suanli

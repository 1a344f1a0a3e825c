/// Angles of rotary position embeddings (Su et al. 2021), as Llama's configurations name them.
#pragma once

#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace suanli::nn {

struct RotaryOptions {
  int64_t head_size = 0;
  double theta = 10000;
  /// "default"; "linear": positions divided by `factor`; "llama3": low frequencies divided by it, high ones kept
  /// (Llama 3.1), with a smooth passage between.
  std::string type = "default";
  double factor = 1, low_freq_factor = 1, high_freq_factor = 4;
  int64_t original_positions = 8192;
};

/// The angle of each pair of columns for a step of one position: theta^(-2i/D), i < D/2, scaled as the type says.
/// Throws UserError for another type.
std::vector<float> rotary_frequencies(const RotaryOptions& options);

/// Cosines and sines of as many positions as were asked for. Thread compatible: one call at a time.
class RotaryTable {
 public:
  RotaryTable(const RotaryOptions& options, Device device);
  /// [P, D] f32 with P >= positions, as ops::rotary_embedding takes it.
  const Tensor& of(int64_t positions) const;

 private:
  std::vector<float> frequencies_;
  Device device_;
  mutable Tensor table_;
};

}  // namespace suanli::nn

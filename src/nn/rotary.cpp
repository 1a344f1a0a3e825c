#include "nn/rotary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace suanli::nn {

namespace {

/// Llama 3.1: waves longer than the original context / low_freq_factor are stretched by `factor`, those shorter than it
/// / high_freq_factor kept, those between interpolated.
double llama3_frequency(double frequency, const RotaryOptions& o) {
  const double waves = static_cast<double>(o.original_positions) * frequency / (2 * std::numbers::pi);
  const double kept = (waves - o.low_freq_factor) / (o.high_freq_factor - o.low_freq_factor);
  const double share = std::clamp(kept, 0.0, 1.0);
  return (1 - share) * frequency / o.factor + share * frequency;
}

}  // namespace

std::vector<float> rotary_frequencies(const RotaryOptions& o) {
  std::vector<float> out;
  for (int64_t i = 0; i < o.head_size / 2; ++i) {
    const double frequency = std::pow(o.theta, -2.0 * static_cast<double>(i) / static_cast<double>(o.head_size));
    if (o.type == "default") {
      out.push_back(static_cast<float>(frequency));
    } else if (o.type == "linear") {
      out.push_back(static_cast<float>(frequency / o.factor));
    } else if (o.type == "llama3") {
      out.push_back(static_cast<float>(llama3_frequency(frequency, o)));
    } else {
      throw UserError("rope_parameters", "expected rope_type default, linear or llama3, got \"" + o.type + "\"");
    }
  }
  return out;
}

RotaryTable::RotaryTable(const RotaryOptions& options, Device device)
    : frequencies_(rotary_frequencies(options)), device_(device) {}

const Tensor& RotaryTable::of(int64_t positions) const {
  if (table_.defined() && table_.dim(0) >= positions) return table_;
  const int64_t rows = std::max(2 * (table_.defined() ? table_.dim(0) : 32), positions);
  const auto half = frequencies_.size();
  Tensor table = Tensor::empty({rows, 2 * static_cast<int64_t>(half)}, DType::f32);
  float* out = table.host<float>().data();
  for (int64_t p = 0; p < rows; ++p, out += 2 * half) {
    for (size_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(p) * frequencies_[i];  // rounded to f32, as transformers does
      out[i] = static_cast<float>(std::cos(static_cast<double>(angle)));
      out[half + i] = static_cast<float>(std::sin(static_cast<double>(angle)));
    }
  }
  table_ = device_ == Device{} ? table : table.to(device_);
  return table_;
}

}  // namespace suanli::nn

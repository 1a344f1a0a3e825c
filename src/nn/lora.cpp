#include "nn/lora.h"

#include <cmath>
#include <numeric>

#include "ops/arithmetic.h"
#include "ops/embedding.h"
#include "ops/linear.h"

namespace suanli::nn {

namespace {

int64_t row_count(const LoraOptions& options) {
  return std::accumulate(options.rows.begin(), options.rows.end(), int64_t{0},
                         [](int64_t sum, const LoraOptions::Rows& rows) { return sum + rows.count; });
}

}  // namespace

Lora::Lora(ParameterScope scope, int64_t in, int64_t out, const LoraOptions& options)
    : scaling_(options.scaling),
      dropout_{options.dropout, scope.next_site()},
      a_(scope.get("lora_A", {static_cast<int64_t>(options.rows.size()) * options.rank, in},
                   uniform(1.0 / std::sqrt(static_cast<double>(in))))),
      b_(scope.get("lora_B", {row_count(options), options.rank}, zeros())) {
  const auto modules = static_cast<int64_t>(options.rows.size());
  if (modules == 1 && row_count(options) == out) return;
  const int64_t r = options.rank, width = modules * r;
  std::vector<int32_t> rows(static_cast<size_t>(out), 0);
  std::vector<float> repeat(static_cast<size_t>(width * r), 0), mask(static_cast<size_t>(out * width), 0);
  int32_t next = 0;
  for (int64_t m = 0; m < modules; ++m) {
    const auto [first, count] = options.rows[static_cast<size_t>(m)];
    for (int64_t row = first; row < first + count; ++row) {
      rows[static_cast<size_t>(row)] = next++;
      std::fill_n(mask.begin() + row * width + m * r, r, 1.0F);
    }
    for (int64_t i = 0; i < r; ++i) repeat[static_cast<size_t>((m * r + i) * r + i)] = 1;
  }
  rows_ = Tensor::from(rows, {out});
  rows_.make_constant();  // a device keeps its copy
  repeat_ = Tensor::from(repeat, {width, r}).to(b_.device());
  mask_ = Tensor::from(mask, {out, width}).to(b_.device());
}

Tensor Lora::placed() const {
  if (!rows_.defined()) return b_;
  return ops::multiply(ops::linear(ops::index_select(b_, rows_), repeat_, {}), mask_);
}

Tensor Lora::operator()(const Tensor& x, const Mode& mode) const {
  return ops::linear(ops::scale(ops::linear(dropout_(x, mode), a_, {}), scaling_), placed(), {});
}

}  // namespace suanli::nn

/// Convolutions in plain loops: sums in f64 over taps and channels, one rounding.
#include <optional>
#include <vector>

#include "../library_memory.h"
#include "description.h"

namespace stand_in {
namespace {

cudaDataType type_of(cudnnDataType_t type) {
  return type == CUDNN_DATA_HALF ? CUDA_R_16F : type == CUDNN_DATA_BFLOAT16 ? CUDA_R_16BF : CUDA_R_32F;
}

/// Numbers that lie densely.
class Numbers {
 public:
  Numbers(cudnnDataType_t type, uint64_t address, int64_t count, bool will_write)
      : type_(type_of(type)), count_(count), bytes_(host(address, count * bytes_of(type_), will_write)) {}
  bool is_there() const { return bytes_ != nullptr; }

  std::vector<double> values(bool tf32) const {
    std::vector<double> out(static_cast<size_t>(count_));
    for (int64_t i = 0; i < count_; ++i) {
      out[i] = load(type_, bytes_ + i * bytes_of(type_));
      if (tf32) out[i] = as_tf32(out[i]);
    }
    return out;
  }
  void set(const std::vector<double>& sums, float alpha, float beta) const {
    for (int64_t i = 0; i < count_; ++i) {
      std::byte* const at = bytes_ + i * bytes_of(type_);
      store(type_, at, alpha * sums[i] + (beta == 0 ? 0 : beta * load(type_, at)));
    }
  }

 private:
  cudaDataType type_;
  int64_t count_;
  std::byte* bytes_;
};

/// Calls f(place in x, place in weight, place in y) for each product; images NHWC, weights KRSC.
template <class F>
void each_product(const Convolution& c, const F& f) {
  const auto& [pad, stride, dilation, mode, type, math, groups] = c.map;
  const int of_group = c.weight.k / groups;
  for (int64_t n = 0; n < c.y.n; ++n) {
    for (int64_t oy = 0; oy < c.y.h; ++oy) {
      for (int64_t ox = 0; ox < c.y.w; ++ox) {
        for (int64_t r = 0; r < c.weight.h; ++r) {
          for (int64_t s = 0; s < c.weight.w; ++s) {
            const int64_t iy = oy * stride[0] - pad[0] + r * dilation[0],
                          ix = ox * stride[1] - pad[1] + s * dilation[1];
            if (iy < 0 || iy >= c.x.h || ix < 0 || ix >= c.x.w) continue;
            for (int64_t k = 0; k < c.weight.k; ++k) {
              const int64_t first = k / of_group * c.weight.c;
              for (int64_t i = 0; i < c.weight.c; ++i) {
                f(((n * c.x.h + iy) * c.x.w + ix) * c.x.c + first + i,
                  ((k * c.weight.h + r) * c.weight.w + s) * c.weight.c + i,
                  ((n * c.y.h + oy) * c.y.w + ox) * c.y.c + k);
              }
            }
          }
        }
      }
    }
  }
}

int64_t count(const cudnnTensorStruct& t) { return int64_t{t.n} * t.c * t.h * t.w; }
int64_t count(const cudnnFilterStruct& t) { return int64_t{t.k} * t.c * t.h * t.w; }

}  // namespace

void compute(const Convolution& c) {
  // Whatever lies in the workspace is lost: one that holds something else, too, is seen.
  if (c.workspace_bytes > 0) {
    std::byte* const workspace = host(c.workspace, c.workspace_bytes, true);
    if (!workspace) return;
    std::memset(workspace, 0xA5, static_cast<size_t>(c.workspace_bytes));
  }
  const Numbers x(c.x.type, c.x_data, count(c.x), c.result == Result::x);
  const Numbers y(c.y.type, c.y_data, count(c.y), c.result == Result::y);
  const Numbers weight(c.weight.type, c.weight_data, count(c.weight), c.result == Result::weight);
  if (!x.is_there() || !y.is_there() || !weight.is_there()) return;
  const bool tf32 = c.x.type == CUDNN_DATA_FLOAT && c.map.math != CUDNN_FMA_MATH;
  if (c.result == Result::y) {
    const std::vector<double> a = x.values(tf32), b = weight.values(tf32);
    std::vector<double> sums(static_cast<size_t>(count(c.y)));
    each_product(c, [&](int64_t i, int64_t j, int64_t to) { sums[to] += a[i] * b[j]; });
    y.set(sums, c.alpha, c.beta);
  } else if (c.result == Result::x) {
    const std::vector<double> a = y.values(tf32), b = weight.values(tf32);
    std::vector<double> sums(static_cast<size_t>(count(c.x)));
    each_product(c, [&](int64_t to, int64_t j, int64_t i) { sums[to] += a[i] * b[j]; });
    x.set(sums, c.alpha, c.beta);
  } else {
    const std::vector<double> a = y.values(tf32), b = x.values(tf32);
    std::vector<double> sums(static_cast<size_t>(count(c.weight)));
    each_product(c, [&](int64_t j, int64_t to, int64_t i) { sums[to] += a[i] * b[j]; });
    weight.set(sums, c.alpha, c.beta);
  }
}

}  // namespace stand_in

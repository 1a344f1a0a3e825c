/// Products in plain loops: f32, f64 or s32 sums over k in rising order, then the epilogue and one rounding.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "../library_memory.h"
#include "description.h"

namespace stand_in {
namespace {

bool is_one_of(const Product& p, std::initializer_list<cublasLtEpilogue_t> those) {
  return std::find(those.begin(), those.end(), p.epilogue) != those.end();
}

}  // namespace

bool Product::adds_bias() const {
  return is_one_of(*this, {CUBLASLT_EPILOGUE_BIAS, CUBLASLT_EPILOGUE_RELU_BIAS, CUBLASLT_EPILOGUE_GELU_BIAS,
                           CUBLASLT_EPILOGUE_GELU_AUX_BIAS});
}
bool Product::writes_aux() const {
  return is_one_of(*this, {CUBLASLT_EPILOGUE_GELU_AUX, CUBLASLT_EPILOGUE_GELU_AUX_BIAS});
}
bool Product::reads_aux() const { return is_one_of(*this, {CUBLASLT_EPILOGUE_DGELU, CUBLASLT_EPILOGUE_DGELU_BGRAD}); }
bool Product::writes_bias_gradient() const {
  return is_one_of(*this, {CUBLASLT_EPILOGUE_DGELU_BGRAD, CUBLASLT_EPILOGUE_BGRADA, CUBLASLT_EPILOGUE_BGRADB});
}

namespace {

/// A matrix of a batch, as addresses of its columns (or rows, when row-major).
struct Matrix {
  const Layout& layout;
  std::vector<std::byte*> lines;

  Matrix(const Layout& of, uint64_t address, int index, bool will_write) : layout(of) {
    const int64_t size = bytes_of(of.type), length = of.row_major ? of.columns : of.rows;
    const int64_t count = of.row_major ? of.rows : of.columns;
    for (int64_t line = 0; line < count; ++line) {
      const int64_t offset = (of.batch_stride * index + of.stride * line) * size;
      lines.push_back(host(address + static_cast<uint64_t>(offset), length * size, will_write));
    }
  }
  bool is_there() const {
    for (const std::byte* line : lines) {
      if (!line) return false;
    }
    return true;
  }
  std::byte* at(int64_t row, int64_t column) const {
    const auto [line, place] = layout.row_major ? std::pair(row, column) : std::pair(column, row);
    return lines[line] + place * bytes_of(layout.type);
  }
  double get(int64_t row, int64_t column) const { return load(layout.type, at(row, column)); }
};

double as_operand(double value, cublasComputeType_t compute) {
  return compute == CUBLAS_COMPUTE_32F_FAST_TF32 ? as_tf32(value) : value;
}

/// sums[j * m + i] of op(A) op(B).
template <class T>
std::vector<double> sums_of(const Product& p, const Matrix& a, const Matrix& b) {
  const int64_t m = p.m(), n = p.n(), depth = p.k();
  std::vector<T> columns_of_a(m * depth), sum(m);
  for (int64_t k = 0; k < depth; ++k) {
    for (int64_t i = 0; i < m; ++i) {
      columns_of_a[k * m + i] = static_cast<T>(as_operand(p.transpose_a ? a.get(k, i) : a.get(i, k), p.compute));
    }
  }
  std::vector<double> out(m * n);
  for (int64_t j = 0; j < n; ++j) {
    std::fill(sum.begin(), sum.end(), T{0});
    for (int64_t k = 0; k < depth; ++k) {
      const auto factor = static_cast<T>(as_operand(p.transpose_b ? b.get(j, k) : b.get(k, j), p.compute));
      const T* const column = &columns_of_a[k * m];
      for (int64_t i = 0; i < m; ++i) sum[i] += column[i] * factor;
    }
    std::copy(sum.begin(), sum.end(), out.begin() + j * m);
  }
  return out;
}

// GELU by its tanh form, as the library computes it.
double gelu_inner(double x) { return std::sqrt(2 * std::numbers::inv_pi) * (x + 0.044715 * x * x * x); }
double gelu(double x) { return 0.5 * x * (1 + std::tanh(gelu_inner(x))); }
double gelu_slope(double x) {
  const double t = std::tanh(gelu_inner(x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * std::sqrt(2 * std::numbers::inv_pi) * (1 + 3 * 0.044715 * x * x);
}

bool is_gelu(const Product& p) {
  return is_one_of(p, {CUBLASLT_EPILOGUE_GELU, CUBLASLT_EPILOGUE_GELU_BIAS, CUBLASLT_EPILOGUE_GELU_AUX,
                       CUBLASLT_EPILOGUE_GELU_AUX_BIAS});
}
bool is_relu(const Product& p) { return is_one_of(p, {CUBLASLT_EPILOGUE_RELU, CUBLASLT_EPILOGUE_RELU_BIAS}); }

/// The gradient of the bias: sums over columns of D (DGELU_BGRAD), over k of A (BGRADA) or of B (BGRADB).
void bias_gradient(const Product& p, const Matrix& a, const Matrix& b, const std::vector<double>& d) {
  const int64_t length = p.epilogue == CUBLASLT_EPILOGUE_BGRADB ? p.n() : p.m();
  std::byte* const bias = host(p.bias, length * bytes_of(p.bias_type), true);
  if (!bias) return;
  for (int64_t i = 0; i < length; ++i) {
    float sum = 0;
    if (p.epilogue == CUBLASLT_EPILOGUE_DGELU_BGRAD) {
      for (int64_t j = 0; j < p.n(); ++j) sum += static_cast<float>(d[j * p.m() + i]);
    } else {
      for (int64_t k = 0; k < p.k(); ++k) {
        const bool of_a = p.epilogue == CUBLASLT_EPILOGUE_BGRADA;
        sum += static_cast<float>(of_a ? (p.transpose_a ? a.get(k, i) : a.get(i, k))
                                       : (p.transpose_b ? b.get(i, k) : b.get(k, i)));
      }
    }
    store(p.bias_type, bias + i * bytes_of(p.bias_type), sum);
  }
}

void compute_one(const Product& p, int index) {
  const Matrix a(p.a, p.a_data, index, false), b(p.b, p.b_data, index, false);
  const Layout aux_layout{p.aux_type, p.m(), p.n(), p.aux_stride, false, 1, 0};
  std::optional<Matrix> c, aux;
  if (p.beta != 0) c.emplace(p.c, p.c_data, index, false);
  if (p.writes_aux() || p.reads_aux()) aux.emplace(aux_layout, p.aux, 0, p.writes_aux());
  const Matrix d(p.d, p.d_data, index, true);
  const std::byte* const bias = p.adds_bias() ? host(p.bias, p.m() * bytes_of(p.bias_type), false) : nullptr;
  if (!a.is_there() || !b.is_there() || !d.is_there() || (c && !c->is_there()) || (aux && !aux->is_there())) return;
  if (p.adds_bias() && !bias) return;
  std::vector<double> out = p.compute == CUBLAS_COMPUTE_64F   ? sums_of<double>(p, a, b)
                            : p.compute == CUBLAS_COMPUTE_32I ? sums_of<int32_t>(p, a, b)
                                                              : sums_of<float>(p, a, b);
  for (int64_t j = 0; j < p.n(); ++j) {
    for (int64_t i = 0; i < p.m(); ++i) {
      double& value = out[j * p.m() + i];
      value *= p.alpha;
      if (c) value += p.beta * c->get(i, j);
      if (bias) value += load(p.bias_type, bias + i * bytes_of(p.bias_type));
      if (p.writes_aux()) store(p.aux_type, aux->at(i, j), value);
      if (is_gelu(p)) value = gelu(value);
      if (is_relu(p)) value = value > 0 ? value : 0;
      if (p.reads_aux()) value *= gelu_slope(aux->get(i, j));
      store(p.d.type, d.at(i, j), value);
    }
  }
  if (p.writes_bias_gradient()) bias_gradient(p, a, b, out);
}

}  // namespace

void compute(const Product& product) {
  for (int index = 0; index < product.d.batch; ++index) compute_one(product, index);
}

}  // namespace stand_in

/// The stand-in of cuBLASLt against products in f64, in every layout that the product asks for.
#include <cublasLt.h>
#include <cuda.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ptx/float_format.h"

namespace {

class DeviceArray {
 public:
  DeviceArray(const void* values, size_t bytes) : bytes_(bytes) {
    EXPECT_EQ(cuMemAlloc_v2(&address_, bytes), CUDA_SUCCESS);
    EXPECT_EQ(cuMemcpyHtoDAsync_v2(address_, values, bytes, nullptr), CUDA_SUCCESS);
  }
  template <class T>
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.data(), values.size() * sizeof(T)) {}
  DeviceArray(const DeviceArray&) = delete;
  ~DeviceArray() { cuMemFree_v2(address_); }
  void* pointer() const { return reinterpret_cast<void*>(address_); }
  template <class T>
  std::vector<T> get() const {
    std::vector<T> out(bytes_ / sizeof(T));
    EXPECT_EQ(cuMemcpyDtoHAsync_v2(out.data(), address_, bytes_, nullptr), CUDA_SUCCESS);
    return out;
  }

 private:
  CUdeviceptr address_ = 0;
  size_t bytes_;
};

template <class T>
std::vector<T> values(size_t count, int factor) {
  std::vector<T> out(count);
  for (size_t k = 0; k < count; ++k)
    out[k] = static_cast<T>((static_cast<int>(k * factor % 29) - 14) / (std::is_integral_v<T> ? 1 : 8.0));
  return out;
}

struct Call {
  cublasLtMatmulDesc_t desc = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, d = nullptr;

  Call(cublasComputeType_t compute, cudaDataType scale) {
    EXPECT_EQ(cublasLtMatmulDescCreate(&desc, compute, scale), CUBLAS_STATUS_SUCCESS);
  }
  ~Call() {
    for (const auto layout : {a, b, d}) cublasLtMatrixLayoutDestroy(layout);
    cublasLtMatmulDescDestroy(desc);
  }
  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, T value) {
    EXPECT_EQ(cublasLtMatmulDescSetAttribute(desc, attribute, &value, sizeof value), CUBLAS_STATUS_SUCCESS);
  }
  static void layout(cublasLtMatrixLayout_t& out, cudaDataType type, int64_t rows, int64_t columns, int64_t stride,
                     bool row_major = false) {
    EXPECT_EQ(cublasLtMatrixLayoutCreate(&out, type, rows, columns, stride), CUBLAS_STATUS_SUCCESS);
    const int32_t order = row_major ? CUBLASLT_ORDER_ROW : CUBLASLT_ORDER_COL;
    EXPECT_EQ(cublasLtMatrixLayoutSetAttribute(out, CUBLASLT_MATRIX_LAYOUT_ORDER, &order, sizeof order),
              CUBLAS_STATUS_SUCCESS);
  }
  template <class S>
  cublasStatus_t run(S alpha, const DeviceArray& a_data, const DeviceArray& b_data, S beta, const DeviceArray& d_data) {
    return cublasLtMatmul(nullptr, desc, &alpha, a_data.pointer(), a, b_data.pointer(), b, &beta, d_data.pointer(), d,
                          d_data.pointer(), d, nullptr, nullptr, 0, nullptr);
  }
};

constexpr int m = 5, n = 7, k = 12;

/// Every choice of transposes and orders gives the same product of the same numbers, beside the padding of longer
/// leading dimensions.
TEST(Cublaslt, TransposesOrdersAndLeadingDimensions) {
  const auto a_of = [](int i, int p) { return static_cast<float>((i * 3 + p * 5) % 11 - 5) / 4; };
  const auto b_of = [](int p, int j) { return static_cast<float>((p * 7 + j * 2) % 13 - 6) / 4; };
  for (int choice = 0; choice < 16; ++choice) {
    const bool transpose_a = choice & 1, transpose_b = choice & 2, row_major = choice & 4, padded = choice & 8;
    Call call(CUBLAS_COMPUTE_32F, CUDA_R_32F);
    call.set(CUBLASLT_MATMUL_DESC_TRANSA, transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
    call.set(CUBLASLT_MATMUL_DESC_TRANSB, transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
    const auto fill = [&](cublasLtMatrixLayout_t& layout, int rows, int columns, bool transposed, auto&& of) {
      if (transposed) std::swap(rows, columns);
      const int stride = (row_major ? columns : rows) + (padded ? 3 : 0);
      Call::layout(layout, CUDA_R_32F, rows, columns, stride, row_major);
      std::vector<float> out(stride * (row_major ? rows : columns), 99);
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < columns; ++j)
          out[row_major ? i * stride + j : j * stride + i] = transposed ? of(j, i) : of(i, j);
      }
      return out;
    };
    const DeviceArray a(fill(call.a, m, k, transpose_a, a_of)), b(fill(call.b, k, n, transpose_b, b_of));
    const DeviceArray d(fill(call.d, m, n, false, [](int i, int j) { return static_cast<float>(i - j); }));
    ASSERT_EQ(call.run(2.0f, a, b, -1.0f, d), CUBLAS_STATUS_SUCCESS);
    const std::vector<float> got = d.get<float>();
    const int stride = (row_major ? n : m) + (padded ? 3 : 0);
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < n; ++j) {
        double sum = 0;
        for (int p = 0; p < k; ++p) sum += double{a_of(i, p)} * b_of(p, j);
        EXPECT_EQ(got[row_major ? i * stride + j : j * stride + i], 2 * sum - (i - j))
            << choice;  // eighths: exact in f32
      }
    }
    if (padded) {
      EXPECT_EQ(got[row_major ? n : m], 99) << "the padding stays";
    }
  }
}

double gelu(double x) { return 0.5 * x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))); }

TEST(Cublaslt, EpiloguesOfBiasAndGelu) {
  const auto a_values = values<float>(m * k, 3), b_values = values<float>(k * n, 5), bias_values = values<float>(m, 7);
  const DeviceArray a(a_values), b(b_values), bias(bias_values), d(std::vector<float>(m * n, 0)),
      aux(std::vector<float>(8 * n, 0));
  Call call(CUBLAS_COMPUTE_32F, CUDA_R_32F);
  Call::layout(call.a, CUDA_R_32F, m, k, m), Call::layout(call.b, CUDA_R_32F, k, n, k),
      Call::layout(call.d, CUDA_R_32F, m, n, m);
  call.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_GELU_AUX_BIAS);
  call.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias.pointer());
  call.set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, aux.pointer());
  call.set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, int64_t{m});
  EXPECT_EQ(call.run(1.0f, a, b, 0.0f, d), CUBLAS_STATUS_NOT_SUPPORTED) << "columns of aux that are not eights";
  call.set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, int64_t{8});
  call.set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_16BF);
  EXPECT_EQ(call.run(1.0f, a, b, 0.0f, d), CUBLAS_STATUS_NOT_SUPPORTED) << "a bias of another type than D";
  call.set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_32F);
  ASSERT_EQ(call.run(1.0f, a, b, 0.0f, d), CUBLAS_STATUS_SUCCESS);
  const auto got = d.get<float>(), before = aux.get<float>();
  std::vector<double> sums(m * n);
  for (int j = 0; j < n; ++j) {
    for (int i = 0; i < m; ++i) {
      double& sum = sums[j * m + i] = bias_values[i];
      for (int p = 0; p < k; ++p) sum += double{a_values[p * m + i]} * b_values[j * k + p];
      EXPECT_EQ(before[j * 8 + i], sum);  // 64ths: exact in f32
      EXPECT_NEAR(got[j * m + i], gelu(sum), std::fabs(gelu(sum)) * 0x1p-23 + 1e-7);
    }
  }
  // The gradient through GELU at the kept values, and the sum of it over columns as the bias's.
  const DeviceArray bias_gradient(std::vector<float>(m, 0));
  call.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DGELU_BGRAD);
  call.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias_gradient.pointer());
  ASSERT_EQ(call.run(1.0f, a, b, 0.0f, d), CUBLAS_STATUS_SUCCESS);
  const auto gradient = d.get<float>(), of_bias = bias_gradient.get<float>();
  for (int i = 0; i < m; ++i) {
    double total = 0;
    for (int j = 0; j < n; ++j) {
      const double x = sums[j * m + i], h = 1e-5, slope = (gelu(x + h) - gelu(x - h)) / (2 * h);
      EXPECT_NEAR(gradient[j * m + i], (x - bias_values[i]) * slope, 1e-6 * (1 + std::fabs(x)));
      total += gradient[j * m + i];
    }
    EXPECT_NEAR(of_bias[i], total, 1e-5);
  }
}

// Beside the gradient of a weight that of its bias: the sums over k of the second operand, one for each column of D.
TEST(Cublaslt, SumsOfAnOperandBesideTheProduct) {
  const auto b_values = values<float>(k * n, 5);
  const DeviceArray a(values<float>(m * k, 3)), b(b_values), d(std::vector<float>(m * n, 0)),
      sums(std::vector<float>(n, 0));
  Call call(CUBLAS_COMPUTE_32F, CUDA_R_32F);
  Call::layout(call.a, CUDA_R_32F, m, k, m), Call::layout(call.b, CUDA_R_32F, n, k, n),
      Call::layout(call.d, CUDA_R_32F, m, n, m);
  call.set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_T);
  ASSERT_EQ(call.run(1.0f, a, b, 0.0f, d), CUBLAS_STATUS_SUCCESS);
  const auto alone = d.get<float>();
  call.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BGRADB);
  call.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, sums.pointer());
  ASSERT_EQ(call.run(1.0f, a, b, 0.0f, d), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(d.get<float>(), alone);
  const auto got = sums.get<float>();
  for (int j = 0; j < n; ++j) {
    float sum = 0;
    for (int p = 0; p < k; ++p) sum += b_values[p * n + j];
    EXPECT_EQ(got[j], sum);  // eighths: exact in f32
  }
}

TEST(Cublaslt, TypesRoundOnceAtTheEnd) {
  const auto a_values = values<float>(m * k, 3), b_values = values<float>(k * n, 5);
  std::vector<uint16_t> a_bits, b_bits;
  for (const float v : a_values) a_bits.push_back(ptx::narrow<ptx::BFloat>(v).bits);
  for (const float v : b_values) b_bits.push_back(ptx::narrow<ptx::BFloat>(v).bits);
  const DeviceArray a(a_bits), b(b_bits), d(std::vector<uint16_t>(m * n, 0));
  Call call(CUBLAS_COMPUTE_32F, CUDA_R_32F);
  Call::layout(call.a, CUDA_R_16BF, m, k, m), Call::layout(call.b, CUDA_R_16BF, k, n, k),
      Call::layout(call.d, CUDA_R_16BF, m, n, m);
  ASSERT_EQ(call.run(1.0f, a, b, 0.0f, d), CUBLAS_STATUS_SUCCESS);
  const auto got = d.get<uint16_t>();
  for (int j = 0; j < n; ++j) {
    for (int i = 0; i < m; ++i) {
      double sum = 0;
      for (int p = 0; p < k; ++p) sum += double{a_values[p * m + i]} * b_values[j * k + p];
      EXPECT_EQ(got[j * m + i], ptx::narrow<ptx::BFloat>(sum).bits);
    }
  }
}

TEST(Cublaslt, Int8SumsAreExactAndOddSizesRefused) {
  const auto a_values = values<int8_t>(8 * 12, 3), b_values = values<int8_t>(12 * 4, 5);
  const DeviceArray a(a_values), b(b_values), d(std::vector<int>(8 * 4, 0));
  Call call(CUBLAS_COMPUTE_32I, CUDA_R_32I);
  Call::layout(call.a, CUDA_R_8I, 12, 8, 12), Call::layout(call.b, CUDA_R_8I, 12, 4, 12),
      Call::layout(call.d, CUDA_R_32I, 8, 4, 8);
  EXPECT_EQ(call.run(1, a, b, 0, d), CUBLAS_STATUS_INVALID_VALUE) << "without the transpose the sizes do not fit";
  call.set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  ASSERT_EQ(call.run(1, a, b, 0, d), CUBLAS_STATUS_SUCCESS);
  const auto got = d.get<int>();
  for (int j = 0; j < 4; ++j) {
    for (int i = 0; i < 8; ++i) {
      int sum = 0;
      for (int p = 0; p < 12; ++p) sum += a_values[i * 12 + p] * b_values[j * 12 + p];
      EXPECT_EQ(got[j * 8 + i], sum);
    }
  }
  int found = -1;
  cublasLtMatmulHeuristicResult_t result;
  cublasLtMatrixLayoutDestroy(call.a), cublasLtMatrixLayoutDestroy(call.b);
  Call::layout(call.a, CUDA_R_8I, 10, 8, 10), Call::layout(call.b, CUDA_R_8I, 10, 4, 10);
  EXPECT_EQ(
      cublasLtMatmulAlgoGetHeuristic(nullptr, call.desc, call.a, call.b, call.d, call.d, nullptr, 1, &result, &found),
      CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(found, 0);
}

}  // namespace

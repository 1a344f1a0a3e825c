/// The functions of cuBLASLt that the product uses. A product runs in its stream's order, as a host function of the
/// driver's stand-in.
#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>

#include "../library_memory.h"
#include "description.h"

using stand_in::Attributes;
using stand_in::Layout;
using stand_in::Product;

namespace {

Attributes& of(void* handle) { return *static_cast<Attributes*>(handle); }

template <class Handle>
cublasStatus_t destroy(Handle handle) {
  delete reinterpret_cast<Attributes*>(handle);
  return CUBLAS_STATUS_SUCCESS;
}

Layout layout_of(cublasLtMatrixLayout_t handle) {
  const Attributes& a = of(handle);
  return {static_cast<cudaDataType>(a.get<uint32_t>(CUBLASLT_MATRIX_LAYOUT_TYPE, 0)),
          static_cast<int64_t>(a.get<uint64_t>(CUBLASLT_MATRIX_LAYOUT_ROWS, 0)),
          static_cast<int64_t>(a.get<uint64_t>(CUBLASLT_MATRIX_LAYOUT_COLS, 0)),
          a.get<int64_t>(CUBLASLT_MATRIX_LAYOUT_LD, 0),
          a.get<int32_t>(CUBLASLT_MATRIX_LAYOUT_ORDER, CUBLASLT_ORDER_COL) == CUBLASLT_ORDER_ROW,
          a.get<int32_t>(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, 1),
          a.get<int64_t>(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, 0)};
}

Product product_of(cublasLtMatmulDesc_t handle, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                   cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d) {
  const Attributes& desc = of(handle);
  Product out{};
  out.compute = static_cast<cublasComputeType_t>(desc.get<int32_t>(CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, 0));
  out.scale = static_cast<cudaDataType>(desc.get<int32_t>(CUBLASLT_MATMUL_DESC_SCALE_TYPE, 0));
  out.transpose_a = desc.get<int32_t>(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_N) == CUBLAS_OP_T;
  out.transpose_b = desc.get<int32_t>(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N) == CUBLAS_OP_T;
  out.epilogue =
      static_cast<cublasLtEpilogue_t>(desc.get<uint32_t>(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT));
  out.a = layout_of(a), out.b = layout_of(b), out.c = layout_of(c), out.d = layout_of(d);
  out.bias = desc.get<uint64_t>(CUBLASLT_MATMUL_DESC_BIAS_POINTER, 0);
  out.bias_type = static_cast<cudaDataType>(desc.get<int32_t>(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, out.d.type));
  out.aux = desc.get<uint64_t>(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, 0);
  out.aux_stride = desc.get<int64_t>(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, 0);
  out.aux_type = static_cast<cudaDataType>(desc.get<int32_t>(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_DATA_TYPE, out.d.type));
  return out;
}

double scalar(cudaDataType type, const void* value) {
  if (type == CUDA_R_64F) return *static_cast<const double*>(value);
  if (type == CUDA_R_32I) return *static_cast<const int32_t*>(value);
  return *static_cast<const float*>(value);
}

std::atomic<int> heuristic_calls = 0;

void run_product(void* product) { stand_in::compute(*static_cast<const Product*>(product)); }

/// Every product stays: a graph that captured it may run it at any time.
std::deque<Product>& all_products() {
  static std::deque<Product> all;
  return all;
}

Product& keep(Product product) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  return all_products().emplace_back(std::move(product));
}

}  // namespace

namespace stand_in {

cublasStatus_t refusal(const Product& p) {
  const auto is_consistent = [](const Layout& l) {
    return l.rows > 0 && l.columns > 0 && l.stride >= (l.row_major ? l.columns : l.rows);
  };
  const int64_t a_rows = p.transpose_a ? p.a.columns : p.a.rows, b_rows = p.transpose_b ? p.b.columns : p.b.rows;
  const int64_t b_columns = p.transpose_b ? p.b.rows : p.b.columns;
  if (!is_consistent(p.a) || !is_consistent(p.b) || !is_consistent(p.c) || !is_consistent(p.d))
    return CUBLAS_STATUS_INVALID_VALUE;
  if (a_rows != p.m() || b_columns != p.n() || b_rows != p.k() || p.c.rows != p.m() || p.c.columns != p.n())
    return CUBLAS_STATUS_INVALID_VALUE;
  for (const Layout& layout : {p.a, p.b, p.c, p.d}) {
    if (bytes_of(layout.type) == 0) return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  if (p.a.type != p.b.type || p.c.type != p.d.type) return CUBLAS_STATUS_NOT_SUPPORTED;
  // As the header says: a bias and its gradient have the type of D; the sums beside GELU lie in rows of eights.
  if ((p.adds_bias() || p.writes_bias_gradient()) && p.bias_type != p.d.type) return CUBLAS_STATUS_NOT_SUPPORTED;
  if ((p.writes_aux() || p.reads_aux()) && (p.aux_stride % 8 != 0 || p.aux_stride < p.m() || p.aux_type != p.d.type))
    return CUBLAS_STATUS_NOT_SUPPORTED;
  const auto is_float = [](cudaDataType t) { return t == CUDA_R_32F || t == CUDA_R_16F || t == CUDA_R_16BF; };
  switch (p.compute) {
    case CUBLAS_COMPUTE_32F:
    case CUBLAS_COMPUTE_32F_PEDANTIC:
      return p.scale == CUDA_R_32F && is_float(p.a.type) && (p.d.type == p.a.type || p.d.type == CUDA_R_32F)
                 ? CUBLAS_STATUS_SUCCESS
                 : CUBLAS_STATUS_NOT_SUPPORTED;
    case CUBLAS_COMPUTE_32F_FAST_TF32:
      return p.scale == CUDA_R_32F && p.a.type == CUDA_R_32F && p.d.type == CUDA_R_32F ? CUBLAS_STATUS_SUCCESS
                                                                                       : CUBLAS_STATUS_NOT_SUPPORTED;
    case CUBLAS_COMPUTE_64F:
      return p.scale == CUDA_R_64F && p.a.type == CUDA_R_64F && p.d.type == CUDA_R_64F &&
                     p.epilogue == CUBLASLT_EPILOGUE_DEFAULT
                 ? CUBLAS_STATUS_SUCCESS
                 : CUBLAS_STATUS_NOT_SUPPORTED;
    case CUBLAS_COMPUTE_32I: {
      // Integer products want op(A) transposed, op(B) not, and sizes in fours.
      const bool fours = p.transpose_a && !p.transpose_b && p.m() % 4 == 0 && p.k() % 4 == 0 && p.a.stride % 4 == 0 &&
                         p.b.stride % 4 == 0;
      const bool types = p.a.type == CUDA_R_8I && ((p.d.type == CUDA_R_32I && p.scale == CUDA_R_32I) ||
                                                   (p.d.type == CUDA_R_8I && p.scale == CUDA_R_32F));
      return fours && types && p.epilogue == CUBLASLT_EPILOGUE_DEFAULT ? CUBLAS_STATUS_SUCCESS
                                                                       : CUBLAS_STATUS_NOT_SUPPORTED;
    }
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

}  // namespace stand_in

extern "C" {

/// For tests: how often an algorithm was asked for.
int stand_in_heuristic_calls() { return heuristic_calls; }
/// For tests: how many products ended with an epilogue.
int stand_in_products_with(int epilogue) {
  return static_cast<int>(
      std::ranges::count_if(all_products(), [&](const Product& p) { return p.epilogue == epilogue; }));
}

size_t cublasLtGetVersion() { return CUBLAS_VERSION; }
cublasStatus_t cublasLtCreate(cublasLtHandle_t* out) {
  return *out = reinterpret_cast<cublasLtHandle_t>(new Attributes), CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) { return destroy(handle); }

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* out, cublasComputeType_t compute, cudaDataType_t scale) {
  auto* attributes = new Attributes;
  attributes->set(CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, &compute, sizeof compute);
  attributes->set(CUBLASLT_MATMUL_DESC_SCALE_TYPE, &scale, sizeof scale);
  return *out = reinterpret_cast<cublasLtMatmulDesc_t>(attributes), CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, size_t bytes) {
  return of(desc).set(attribute, value, bytes);
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc) { return destroy(desc); }

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* out, cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t stride) {
  auto* attributes = new Attributes;
  attributes->set(CUBLASLT_MATRIX_LAYOUT_TYPE, &type, sizeof type);
  attributes->set(CUBLASLT_MATRIX_LAYOUT_ROWS, &rows, sizeof rows);
  attributes->set(CUBLASLT_MATRIX_LAYOUT_COLS, &columns, sizeof columns);
  attributes->set(CUBLASLT_MATRIX_LAYOUT_LD, &stride, sizeof stride);
  return *out = reinterpret_cast<cublasLtMatrixLayout_t>(attributes), CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t attribute, const void* value,
                                                size_t bytes) {
  return of(layout).set(attribute, value, bytes);
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) { return destroy(layout); }

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* out) {
  return *out = reinterpret_cast<cublasLtMatmulPreference_t>(new Attributes), CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                                                    size_t bytes) {
  return of(preference).set(attribute, value, bytes);
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) { return destroy(preference); }

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                              cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t, int wanted,
                                              cublasLtMatmulHeuristicResult_t results[], int* found) {
  ++heuristic_calls;
  *found = 0;
  const cublasStatus_t status = stand_in::refusal(product_of(desc, a, b, c, d));
  if (status != CUBLAS_STATUS_SUCCESS || wanted < 1) return status;
  results[0] = {};
  results[0].state = CUBLAS_STATUS_SUCCESS;
  return *found = 1, CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t desc, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout,
                              const void* beta, const void* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t*, void*, size_t,
                              cudaStream_t stream) {
  Product product = product_of(desc, a_layout, b_layout, c_layout, d_layout);
  if (const cublasStatus_t status = stand_in::refusal(product); status != CUBLAS_STATUS_SUCCESS) return status;
  product.alpha = scalar(product.scale, alpha), product.beta = scalar(product.scale, beta);
  const auto address = [](const void* p) { return reinterpret_cast<uint64_t>(p); };
  product.a_data = address(a), product.b_data = address(b), product.c_data = address(c), product.d_data = address(d);
  return stand_in::queue(stream, run_product, &keep(product)) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // extern "C"

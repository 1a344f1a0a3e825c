#include <algorithm>
#include <compare>
#include <map>
#include <mutex>
#include <string>

#include "base/error.h"
#include "kernels/cuda/add.h"
#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/matmul_finish.h"
#include "kernels/tf32.h"
#include "tensor/cuda/cuda_backend.h"

namespace suanli::kernels::cuda {

namespace {

constexpr int64_t kWorkspaceBytes = int64_t{32} << 20;  // what NVIDIA advises for Hopper

void check(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    throw EnvironmentError("matmul", std::string(call) + " failed with status " + std::to_string(status));
  }
}

cudaDataType_t data_type(DType dtype) {
  switch (dtype) {
    case DType::bf16:
      return CUDA_R_16BF;
    case DType::f16:
      return CUDA_R_16F;
    case DType::f64:
      return CUDA_R_64F;
    default:
      return CUDA_R_32F;
  }
}

/// All that the choice of an algorithm depends on.
struct PlanKey {
  int device;
  int64_t m, n, k;
  bool transpose_a, transpose_b, accumulate, bias, tf32;
  DType dtype, c_dtype;
  int a_alignment, b_alignment, c_alignment;
  auto operator<=>(const PlanKey&) const = default;
};

/// A row-major C = A B is the column-major C^T = B^T A^T: the library's first operand is our B, its rows our columns.
struct Plan {
  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t first = nullptr, second = nullptr, result = nullptr;
  cublasLtMatmulHeuristicResult_t chosen = {};
  bool found = false;  ///< false: the library has no kernel for it
};

template <class T>
void set(cublasLtMatmulDesc_t product, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  check(cublaslt().cublasLtMatmulDescSetAttribute(product, attribute, &value, sizeof value),
        "cublasLtMatmulDescSetAttribute");
}
template <class T>
void set(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
  check(cublaslt().cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value),
        "cublasLtMatmulPreferenceSetAttribute");
}

cublasLtMatrixLayout_t layout(DType dtype, int64_t rows, int64_t columns) {
  cublasLtMatrixLayout_t out = nullptr;
  check(cublaslt().cublasLtMatrixLayoutCreate(&out, data_type(dtype), static_cast<uint64_t>(rows),
                                              static_cast<uint64_t>(columns), rows),
        "cublasLtMatrixLayoutCreate");
  return out;
}

Plan make_plan(cublasLtHandle_t handle, const PlanKey& key) {
  const Cublaslt& lt = cublaslt();
  const bool f64 = key.dtype == DType::f64;
  Plan plan;
  const cublasComputeType_t compute = f64        ? CUBLAS_COMPUTE_64F
                                      : key.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                                 : CUBLAS_COMPUTE_32F;
  check(lt.cublasLtMatmulDescCreate(&plan.product, compute, f64 ? CUDA_R_64F : CUDA_R_32F), "cublasLtMatmulDescCreate");
  set(plan.product, CUBLASLT_MATMUL_DESC_TRANSA, key.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(plan.product, CUBLASLT_MATMUL_DESC_TRANSB, key.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
  if (key.bias) {
    set(plan.product, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    set(plan.product, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, data_type(key.c_dtype));
  }
  plan.first = key.transpose_b ? layout(key.dtype, key.k, key.n) : layout(key.dtype, key.n, key.k);
  plan.second = key.transpose_a ? layout(key.dtype, key.m, key.k) : layout(key.dtype, key.k, key.m);
  plan.result = layout(key.c_dtype, key.n, key.m);

  cublasLtMatmulPreference_t preference = nullptr;
  check(lt.cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<uint64_t>(kWorkspaceBytes));
  // Sums that are split over K are added in the dtype of sums, never in that of C.
  set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, static_cast<uint32_t>(key.b_alignment));
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, static_cast<uint32_t>(key.a_alignment));
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, static_cast<uint32_t>(key.c_alignment));
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, static_cast<uint32_t>(key.c_alignment));
  int results = 0;
  const cublasStatus_t status = lt.cublasLtMatmulAlgoGetHeuristic(
      handle, plan.product, plan.first, plan.second, plan.result, plan.result, preference, 1, &plan.chosen, &results);
  plan.found = status == CUBLAS_STATUS_SUCCESS && results > 0;
  check(lt.cublasLtMatmulPreferenceDestroy(preference), "cublasLtMatmulPreferenceDestroy");
  return plan;
}

/// The plans of all shapes so far; they live as long as the program.
class Plans {
 public:
  struct Choice {
    cublasLtHandle_t handle;
    const Plan& plan;
  };
  Choice get(const PlanKey& key) {
    const std::lock_guard lock(mutex_);
    cublasLtHandle_t& handle = handles_[key.device];
    if (handle == nullptr) check(cublaslt().cublasLtCreate(&handle), "cublasLtCreate");
    auto found = plans_.find(key);
    if (found == plans_.end()) found = plans_.emplace(key, make_plan(handle, key)).first;
    return {handle, found->second};
  }

 private:
  std::mutex mutex_;
  std::map<int, cublasLtHandle_t> handles_;
  std::map<PlanKey, Plan> plans_;
};

Plans& plans() {
  static Plans instance;
  return instance;
}

/// The largest power of two up to 256 on which the address lies.
int alignment_of(const void* pointer) {
  const auto address = reinterpret_cast<uintptr_t>(pointer) | 256;
  return static_cast<int>(address & -address);
}

/// Asks for a plan with the result at `c`.
Plans::Choice choose(const Matmul& args, const void* c, DType c_dtype, bool bias, bool accumulate, int device) {
  return plans().get({device, args.m, args.n, args.k, args.transpose_a, args.transpose_b, accumulate, bias,
                      tf32_allowed && args.dtype == DType::f32, args.dtype, c_dtype, alignment_of(args.a),
                      alignment_of(args.b), alignment_of(c)});
}

void multiply(const Plans::Choice& choice, const Matmul& args, void* c, bool bias, bool accumulate, Stream& stream) {
  const Scratch workspace(stream, kWorkspaceBytes);
  const double alpha64 = 1, beta64 = accumulate ? 1 : 0;
  const float alpha32 = 1, beta32 = accumulate ? 1 : 0;
  const bool f64 = args.dtype == DType::f64;
  static std::mutex pointer;  // the bias is part of the shared description
  const std::lock_guard lock(pointer);
  if (bias) set(choice.plan.product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, args.bias);
  check(cublaslt().cublasLtMatmul(choice.handle, choice.plan.product,
                                  f64 ? static_cast<const void*>(&alpha64) : &alpha32, args.b, choice.plan.first,
                                  args.a, choice.plan.second, f64 ? static_cast<const void*>(&beta64) : &beta32, c,
                                  choice.plan.result, c, choice.plan.result, &choice.plan.chosen.algo,
                                  workspace.memory(), kWorkspaceBytes, static_cast<cudaStream_t>(stream.handle)),
        "cublasLtMatmul");
}

/// True where the library stores C with one rounding, as measured: it adds to an old C of 16 bits what it has rounded
/// before, and a bias as well where rows do not lie on 16 bytes.
bool rounds_once(const Matmul& args) {
  if (size_of(args.c_dtype) != 2) return true;
  return !args.accumulate && (args.bias == nullptr || (args.n % 8 == 0 && args.k % 8 == 0 && args.m % 8 == 0));
}

/// Through the library alone where it can do all of it: no activation or factor, and a bias of C's dtype. Else it
/// leaves the sums and a kernel of ours finishes them.
///
/// Its epilogues for GELU and its gradient do not fit the contract. They know the tanh form alone, while the default is
/// erf. For the gradient they keep the sum, rounded to the dtype of C, and work out the slope from that; ours keeps the
/// slope of the unrounded sum. The tanh form without a gradient agrees as a formula, but how exactly the library works
/// out tanh is neither documented nor measured. BGRADA and BGRADB, the sum over k of an operand, say nothing of the
/// order of that sum, which ColumnSum fixes by the shape.
void run(const Matmul& args, Stream& stream) {
  if (args.m == 0 || args.n == 0) return;
  suanli::cuda::make_current(stream.device.index);
  const int device = stream.device.index;
  const bool bias = args.bias != nullptr;
  const DType sum_dtype = args.dtype == DType::f64 ? DType::f64 : DType::f32;
  const bool fits = !bias || (args.bias_dtype == args.c_dtype && alignment_of(args.bias) >= 16);
  if (args.epilogue.empty() && fits && rounds_once(args)) {
    const Plans::Choice choice = choose(args, args.c, args.c_dtype, bias, args.accumulate, device);
    if (choice.plan.found) return multiply(choice, args, args.c, bias, args.accumulate, stream);
  }
  const SumsOfMatmul sums(args, stream);
  const Plans::Choice choice = choose(args, sums.memory(), sum_dtype, false, false, device);
  if (!choice.plan.found) throw EnvironmentError("matmul", "cuBLASLt has no kernel for " + work_of(args).shape);
  multiply(choice, args, sums.memory(), false, false, stream);
  sums.finish(stream);
}

Refusal can_run(const Matmul& args, const Machine&) {
  if (!cublaslt().problem.empty()) return "libcublasLt is missing";
  if (args.k == 0) return "there is nothing to sum";
  return refuse_matmul_dtypes(args);
}

}  // namespace

void add_matmul_cublaslt() { matmul.add({"cublaslt", DeviceType::cuda, can_run, run}); }

}  // namespace suanli::kernels::cuda

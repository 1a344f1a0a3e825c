#include <algorithm>
#include <compare>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/error.h"
#include "kernels/cuda/add.h"
#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/matmul_finish.h"
#include "kernels/tf32.h"
#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/driver.h"

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
  bool transpose_a, transpose_b, accumulate, tf32;
  cublasLtEpilogue_t epilogue;
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

bool adds_bias(cublasLtEpilogue_t epilogue) { return (epilogue & CUBLASLT_EPILOGUE_BIAS) != 0; }
bool sums_rows(cublasLtEpilogue_t epilogue) { return epilogue == CUBLASLT_EPILOGUE_BGRADB; }
/// Whether the sum before GELU is written beside C, or read for the gradient.
bool has_sums(cublasLtEpilogue_t epilogue) {
  constexpr int kAux = CUBLASLT_EPILOGUE_GELU_AUX ^ CUBLASLT_EPILOGUE_GELU;
  return (epilogue & kAux) != 0;
}

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
  set(plan.product, CUBLASLT_MATMUL_DESC_EPILOGUE, key.epilogue);
  if (adds_bias(key.epilogue) || sums_rows(key.epilogue)) {
    set(plan.product, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, data_type(key.c_dtype));
  }
  if (has_sums(key.epilogue)) set(plan.product, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, key.n);
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
  /// Whether products with GELU are faster than products followed by a kernel: as others measured, on H100 and H200;
  /// not on RTX 4090 and RTX 5090 (docs/log.md).
  bool fuse_gelu(int device) {
    const std::lock_guard lock(mutex_);
    const auto [found, fresh] = fuse_gelu_.try_emplace(device);
    if (fresh) found->second = suanli::cuda::properties(device).major == 9;
    return found->second;
  }

 private:
  std::mutex mutex_;
  std::map<int, cublasLtHandle_t> handles_;
  std::map<int, bool> fuse_gelu_;
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
Plans::Choice choose(const Matmul& args, const void* c, DType c_dtype, cublasLtEpilogue_t epilogue, bool accumulate,
                     int device) {
  return plans().get({device, args.m, args.n, args.k, args.transpose_a, args.transpose_b, accumulate,
                      tf32_allowed && args.dtype == DType::f32, epilogue, args.dtype, c_dtype, alignment_of(args.a),
                      alignment_of(args.b), alignment_of(c)});
}

void multiply(const Plans::Choice& choice, const Matmul& args, void* c, cublasLtEpilogue_t epilogue, bool accumulate,
              Stream& stream) {
  const Scratch workspace(stream, kWorkspaceBytes);
  const double alpha64 = 1, beta64 = accumulate ? 1 : 0;
  const float alpha32 = 1, beta32 = accumulate ? 1 : 0;
  const bool f64 = args.dtype == DType::f64;
  static std::mutex pointers;  // they are part of the shared description
  const std::lock_guard lock(pointers);
  if (adds_bias(epilogue)) set(choice.plan.product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, args.bias);
  if (sums_rows(epilogue)) set(choice.plan.product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, args.row_sums);
  if (has_sums(epilogue)) {
    const void* const sums = args.epilogue.at != nullptr ? args.epilogue.at : args.epilogue.sum;
    set(choice.plan.product, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, sums);
  }
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

/// The epilogue with which the library alone does all that is asked; null: it has none. Its GELU is the tanh form, by
/// the machine's tanh for all that is known: that serves 16 bits. Its gradient goes by the sum that was kept.
std::optional<cublasLtEpilogue_t> whole_epilogue(const Matmul& args, int device) {
  const Epilogue& e = args.epilogue;
  const bool bias = args.bias != nullptr;
  if (!rounds_once(args)) return {};
  if (bias && (args.bias_dtype != args.c_dtype || alignment_of(args.bias) < 16)) return {};
  if (args.row_sums != nullptr) {
    const bool able = args.dtype != DType::f64 && args.transpose_a && !args.accumulate && !bias && e.empty() &&
                      alignment_of(args.row_sums) >= 16;
    return able ? std::optional(CUBLASLT_EPILOGUE_BGRADB) : std::nullopt;
  }
  if (e.empty()) return bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
  const void* const sums = e.at != nullptr ? e.at : e.sum;
  const bool fits = size_of(args.c_dtype) == 2 && args.n % 8 == 0 && (sums == nullptr || alignment_of(sums) >= 16);
  if (e.activation != Activation::gelu_tanh || e.slope != nullptr || !fits || !plans().fuse_gelu(device)) return {};
  if (e.at != nullptr) return bias ? std::nullopt : std::optional(CUBLASLT_EPILOGUE_DGELU);
  if (e.sum != nullptr) return bias ? CUBLASLT_EPILOGUE_GELU_AUX_BIAS : CUBLASLT_EPILOGUE_GELU_AUX;
  return bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
}

/// Through the library alone where it can do all of it. Else it leaves the sums and a kernel of ours finishes them.
void run(const Matmul& args, Stream& stream) {
  if (args.m == 0 || args.n == 0) return sum_rows_of_a(args, stream);
  suanli::cuda::make_current(stream.device.index);
  const int device = stream.device.index;
  if (const std::optional<cublasLtEpilogue_t> whole = whole_epilogue(args, device)) {
    const Plans::Choice choice = choose(args, args.c, args.c_dtype, *whole, args.accumulate, device);
    if (choice.plan.found) return multiply(choice, args, args.c, *whole, args.accumulate, stream);
  }
  constexpr cublasLtEpilogue_t kNone = CUBLASLT_EPILOGUE_DEFAULT;
  const SumsOfMatmul sums(args, stream);
  const DType sum_dtype = accumulation_dtype(args.dtype);
  const Plans::Choice choice = choose(args, sums.memory(), sum_dtype, kNone, false, device);
  if (!choice.plan.found) throw EnvironmentError("matmul", "cuBLASLt has no kernel for " + work_of(args).shape);
  multiply(choice, args, sums.memory(), kNone, false, stream);
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

#include "kernels/matmul.h"

#include <omp.h>

#include <atomic>
#include <dnnl.hpp>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/matmul_plan.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/transpose.h"

namespace suanli::kernels {

namespace {

/// oneDNN may use what SUANLI_ISA allows; it reads the cap before its first kernel.
void cap_onednn() {
  if (machine().isa == Isa::avx2) dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
  if (machine().isa == Isa::avx512) {
    dnnl::set_max_cpu_isa(machine().avx512_bf16 ? dnnl::cpu_isa::avx512_core_bf16 : dnnl::cpu_isa::avx512_core_vnni);
  }
}

template <class T, class B>
void bias_rows(const Matmul& a) {
  parallel_for(a.m, 32768 / (a.n + 1), [&](int64_t begin, int64_t end) {
    const B* bias = static_cast<const B*>(a.bias);
    for (int64_t r = begin; r < end; ++r) {
      T* c = static_cast<T*>(a.c) + r * a.n;
      for (int64_t i = 0; i < a.n; ++i) {
        const float old = a.accumulate ? static_cast<float>(c[i]) : 0.0F;
        c[i] = T(old + (bias == nullptr ? 0.0F : static_cast<float>(bias[i])));
      }
    }
  });
}
}  // namespace

void start_rows(const Matmul& a) {
  if (a.accumulate && a.bias == nullptr) return;
  if (a.c_dtype == DType::f32) {
    a.bias_dtype == DType::f32 ? bias_rows<float, float>(a) : bias_rows<float, bfloat16>(a);
  } else {
    a.bias_dtype == DType::f32 ? bias_rows<bfloat16, float>(a) : bias_rows<bfloat16, bfloat16>(a);
  }
}

namespace {

/// Keeps oneDNN on the calling thread.
class Sequential {
 public:
  Sequential() : threads_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~Sequential() { omp_set_num_threads(threads_); }
  Sequential(const Sequential&) = delete;
  Sequential& operator=(const Sequential&) = delete;

 private:
  int threads_;
};

constexpr int64_t kMostTurned = 8 << 20;  // elements of a transposed B

/// f32 through the plain sgemm, which needs no primitive; bias and epilogue follow while the tile lies in the cache.
/// Each tile is a sequential call, because oneDNN's own cut of the sum over K depends on the number of threads.
/// A transposed B costs it up to a tenth more in every tile: where several tiles share one, it is turned here once.
void run_f32(const Matmul& args, Stream&) {
  if (args.k == 0) return start_rows(args);
  if (args.m == 0 || args.n == 0) return;
  const float beta = args.accumulate ? 1.0F : 0.0F;
  const MatmulPlan plan(shape_of(args), 48, 48);
  Matmul a = args;
  if (a.transpose_b && plan.row_parts() > 1 && a.k * a.n <= kMostTurned) {
    float* turned = shared_scratch().get<float>(a.k * a.n);
    transpose_f32(static_cast<const float*>(a.b), a.n, a.k, turned);
    a.b = turned;
    a.transpose_b = false;
  }
  std::atomic<bool> failed = false;
  parallel_tasks(plan.tasks(), plan.tasks() == 1, [&](int64_t task) {
    const Tile t = plan.tile(task);
    const Sequential sequential;
    if (t.row_begin == t.row_end || t.column_begin == t.column_end) return;
    const float* left = static_cast<const float*>(a.a) + t.row_begin * (a.transpose_a ? 1 : a.k);
    const float* right = static_cast<const float*>(a.b) + t.column_begin * (a.transpose_b ? a.k : 1);
    const dnnl::status status = dnnl::sgemm(a.transpose_a ? 'T' : 'N', a.transpose_b ? 'T' : 'N',
                                            t.row_end - t.row_begin, t.column_end - t.column_begin, a.k, 1.0F, left,
                                            a.transpose_a ? a.m : a.k, right, a.transpose_b ? a.k : a.n, beta,
                                            static_cast<float*>(a.c) + t.row_begin * a.n + t.column_begin, a.n);
    if (status != dnnl::status::success) failed = true;
    finish_f32(a, t, true);
  });
  if (failed) throw EnvironmentError("matmul", "oneDNN could not run sgemm");
}

Refusal can_run_f32(const Matmul& a, const Machine& machine) {
  if (machine.isa == Isa::scalar) return "needs AVX2";
  return a.dtype == DType::f32 && a.c_dtype == DType::f32 ? refuse_uncommon(a) : "dtype is not f32";
}

}  // namespace

void add_matmul() {
  cap_onednn();
  add_matmul_amx();
  add_matmul_packed();
  matmul.add({"onednn_f32", DeviceType::cpu, can_run_f32, run_f32});
  add_matmul_simd();
}

}  // namespace suanli::kernels

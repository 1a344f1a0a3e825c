#include "kernels/matmul.h"

#include <omp.h>

#include <atomic>
#include <dnnl.hpp>
#include <list>
#include <mutex>

#include "base/error.h"
#include "kernels/cpu/add.h"
#include "kernels/cpu/matmul_plan.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/scratch.h"
#include "kernels/elementwise.h"

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

/// f32 through the plain sgemm, which needs no primitive: the bias is laid out first and the product added to it.
/// Each tile is a sequential call, because oneDNN's own cut of the sum over K depends on the number of threads.
void run_f32(const Matmul& a, Stream&) {
  if (a.bias != nullptr || a.k == 0) start_rows(a);
  if (a.m == 0 || a.n == 0 || a.k == 0) return;
  const float beta = a.accumulate || a.bias != nullptr ? 1.0F : 0.0F;
  const MatmulPlan plan(a, 48, 48);
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
  });
  if (failed) throw EnvironmentError("matmul", "oneDNN could not run sgemm");
}

Refusal can_run_f32(const Matmul& a, const Machine& machine) {
  if (machine.isa == Isa::scalar) return "needs AVX2";
  return a.dtype == DType::f32 && a.c_dtype == DType::f32 ? nullptr : "dtype is not f32";
}

dnnl::memory::data_type onednn_type(DType dtype) {
  return dtype == DType::f32 ? dnnl::memory::data_type::f32 : dnnl::memory::data_type::bf16;
}

/// A [rows, columns] operand, stored transposed or not; a size of -1 is known at run time alone.
dnnl::memory::desc layout(int64_t rows, int64_t columns, bool transposed, DType dtype) {
  using Dims = dnnl::memory::dims;
  const auto known = [](int64_t size) { return size < 0 ? DNNL_RUNTIME_DIM_VAL : size; };
  const Dims strides = transposed ? Dims{1, known(rows)} : Dims{known(columns), 1};
  return {Dims{known(rows), known(columns)}, onednn_type(dtype), strides};
}

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

/// One product with the number of tokens left open, so that batches of every size share it.
struct Product {
  int64_t m, n, k;
  bool transpose_a, transpose_b, accumulate, has_bias;
  DType c_dtype, bias_dtype;
  bool operator==(const Product&) const = default;

  dnnl::matmul create() const {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (accumulate) {
      dnnl::post_ops sum;
      sum.append_sum(1.0F);
      attributes.set_post_ops(sum);
    }
    const auto a = layout(m, k, transpose_a, DType::bf16), b = layout(k, n, transpose_b, DType::bf16);
    const auto c = layout(m, n, false, c_dtype), bias = layout(1, n, false, bias_dtype);
    const auto description = has_bias ? dnnl::matmul::desc(a, b, bias, c) : dnnl::matmul::desc(a, b, c);
    return dnnl::matmul(dnnl::matmul::primitive_desc(description, attributes, engine()));
  }
};

/// The last kCapacity products in use; creating one costs up to a millisecond.
dnnl::matmul cached(const Product& product) {
  constexpr size_t kCapacity = 256;
  static std::mutex mutex;
  static std::list<std::pair<Product, dnnl::matmul>> recent;
  const std::lock_guard lock(mutex);
  for (auto it = recent.begin(); it != recent.end(); ++it) {
    if (it->first == product) {
      recent.splice(recent.begin(), recent, it);
      return it->second;
    }
  }
  recent.emplace_front(product, product.create());
  if (recent.size() > kCapacity) recent.pop_back();
  return recent.front().second;
}

void run_bf16(const Matmul& a, Stream&) {
  if (a.m == 0 || a.n == 0 || a.k == 0) return start_rows(a);
  const Product product{.m = a.transpose_a ? a.m : -1,
                        .n = a.n,
                        .k = a.transpose_a ? -1 : a.k,
                        .transpose_a = a.transpose_a,
                        .transpose_b = a.transpose_b,
                        .accumulate = a.accumulate,
                        .has_bias = a.bias != nullptr,
                        .c_dtype = a.c_dtype,
                        .bias_dtype = a.bias_dtype};
  const auto memory = [](const dnnl::memory::desc& d, const void* data) {
    return dnnl::memory(d, engine(), const_cast<void*>(data));
  };
  const dnnl::matmul primitive = cached(product);
  std::unordered_map<int, dnnl::memory> arguments = {
      {DNNL_ARG_SRC, memory(layout(a.m, a.k, a.transpose_a, a.dtype), a.a)},
      {DNNL_ARG_WEIGHTS, memory(layout(a.k, a.n, a.transpose_b, a.dtype), a.b)},
      {DNNL_ARG_DST, memory(layout(a.m, a.n, false, a.c_dtype), a.c)}};
  if (a.bias != nullptr) arguments.emplace(DNNL_ARG_BIAS, memory(layout(1, a.n, false, a.bias_dtype), a.bias));
  const dnnl_memory_desc_t* scratchpad =
      dnnl_primitive_desc_query_md(primitive.get_primitive_desc(), dnnl_query_scratchpad_md, 0);
  const size_t bytes = dnnl_memory_desc_get_size(scratchpad);
  arguments.emplace(DNNL_ARG_SCRATCHPAD,
                    memory(*scratchpad, shared_scratch().get<char>(static_cast<int64_t>(bytes) + 64)));
  dnnl::stream stream(engine());
  primitive.execute(stream, arguments);
  stream.wait();
}

Refusal can_run_bf16(const Matmul& a, const Machine& machine) {
  if (a.dtype != DType::bf16) return "dtype is not bf16";
  return machine.isa == Isa::amx ? nullptr : "needs AMX";
}

/// bf16 through f32 where the machine has no fast bf16 dot product.
void run_widened(const Matmul& args, Stream& stream) {
  Matmul wide = args;
  const bool narrow_c = args.c_dtype != DType::f32;
  const int64_t a_count = args.m * args.k, b_count = args.k * args.n, c_count = args.m * args.n;
  float* memory = shared_scratch().get<float>(a_count + b_count + (narrow_c ? c_count : 0) + args.n + 1);
  const auto widen = [&](const void* x, int64_t count) {
    cast({.x = x, .y = memory, .count = count, .from = DType::bf16, .to = DType::f32}, stream);
    return (memory += count) - count;
  };
  wide.a = widen(args.a, a_count);
  wide.b = widen(args.b, b_count);
  if (args.bias != nullptr && args.bias_dtype != DType::f32) wide.bias = widen(args.bias, args.n);
  if (narrow_c) wide.c = args.accumulate ? widen(args.c, c_count) : memory;
  wide.dtype = wide.c_dtype = wide.bias_dtype = DType::f32;
  run_f32(wide, stream);
  if (narrow_c) cast({.x = wide.c, .y = args.c, .count = c_count, .from = DType::f32, .to = DType::bf16}, stream);
}

Refusal can_run_widened(const Matmul& a, const Machine& machine) {
  if (machine.isa == Isa::scalar) return "needs AVX2";
  return a.dtype == DType::bf16 ? nullptr : "dtype is not bf16";
}

}  // namespace

void add_matmul() {
  cap_onednn();
  add_matmul_amx();
  matmul.add({"onednn_f32", DeviceType::cpu, can_run_f32, run_f32});
  matmul.add({"onednn_bf16", DeviceType::cpu, can_run_bf16, run_bf16});
  matmul.add({"widened", DeviceType::cpu, can_run_widened, run_widened});
  add_matmul_simd();
}

}  // namespace suanli::kernels

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/elementwise.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/cpu/philox-inl.h"
#include "kernels/elementwise.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

template <class T>
void dropout_as(const Dropout& a, int64_t begin, int64_t end) {
  constexpr int64_t kBlock = 1024;
  const DropoutFactors dropout_factors(a.dropout);
  HWY_ALIGN float factors[kBlock + kDropoutSlack];
  for (int64_t block = begin; block < end; block += kBlock) {
    const int64_t count = HWY_MIN(kBlock, end - block);
    const float* f = dropout_factors(static_cast<uint64_t>(block), count, factors);
    const T* x = static_cast<const T*>(a.x) + block;
    T* y = static_cast<T*>(a.y) + block;
    each_vector(count,
                [&](int64_t i, int64_t n) SUANLI_INLINE { store(hn::Mul(load(x + i, n), load(f + i, n)), y + i, n); });
  }
}
void dropout_range(const Dropout& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? dropout_as<float>(a, begin, end) : dropout_as<bfloat16>(a, begin, end);
}

template <class T>
void binary_as(const BinaryForward& args, int64_t begin, int64_t end) {
  const T *a = static_cast<const T*>(args.a) + begin, *b = static_cast<const T*>(args.b) + begin;
  T* y = static_cast<T*>(args.y) + begin;
  if (args.kind == Binary::add) {
    each_vector(end - begin,
                [&](int64_t i, int64_t n) SUANLI_INLINE { store(hn::Add(load(a + i, n), load(b + i, n)), y + i, n); });
  } else {
    each_vector(end - begin,
                [&](int64_t i, int64_t n) SUANLI_INLINE { store(hn::Mul(load(a + i, n), load(b + i, n)), y + i, n); });
  }
}
void binary_range(const BinaryForward& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? binary_as<float>(a, begin, end) : binary_as<bfloat16>(a, begin, end);
}

template <class T>
void scale_as(const Scale& a, int64_t begin, int64_t end) {
  const T* x = static_cast<const T*>(a.x) + begin;
  T* y = static_cast<T*>(a.y) + begin;
  const double given = a.factor == nullptr ? 1.0 : *static_cast<const float*>(a.factor);
  const Vector factor = hn::Set(F32(), static_cast<float>(a.scalar * given));
  each_vector(end - begin,
              [&](int64_t i, int64_t n) SUANLI_INLINE { store(hn::Mul(load(x + i, n), factor), y + i, n); });
}
void scale_range(const Scale& a, int64_t begin, int64_t end) {
  a.dtype == DType::f32 ? scale_as<float>(a, begin, end) : scale_as<bfloat16>(a, begin, end);
}

template <class From, class To>
void cast_as(const Cast& a, int64_t begin, int64_t end) {
  convert(static_cast<const From*>(a.x) + begin, static_cast<To*>(a.y) + begin, end - begin);
}
void cast_range(const Cast& a, int64_t begin, int64_t end) {
  if (a.from == DType::f32 && a.to == DType::f32) return cast_as<float, float>(a, begin, end);
  if (a.from == DType::f32) return cast_as<float, bfloat16>(a, begin, end);
  if (a.to == DType::f32) return cast_as<bfloat16, float>(a, begin, end);
  cast_as<bfloat16, bfloat16>(a, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(dropout_range);
HWY_EXPORT(binary_range);
HWY_EXPORT(scale_range);
HWY_EXPORT(cast_range);

namespace {
constexpr int64_t kGrain = 32768;  // elements
}

void add_elementwise() {
  dropout.add({"simd", DeviceType::cpu,
               [](const Dropout& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
               [](const Dropout& a, Stream&) {
                 parallel_for(a.count, kGrain / 2, [&](int64_t begin, int64_t end) {
                   HWY_DYNAMIC_DISPATCH(dropout_range)(a, begin, end);
                 });
               }});
  binary.add({"simd", DeviceType::cpu,
              [](const BinaryForward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
              [](const BinaryForward& a, Stream&) {
                parallel_for(a.count, kGrain, [&](int64_t begin, int64_t end) {
                  HWY_DYNAMIC_DISPATCH(binary_range)(a, begin, end);
                });
              }});
  scale.add({"simd", DeviceType::cpu, [](const Scale& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
             [](const Scale& a, Stream&) {
               parallel_for(a.count, kGrain, [&](int64_t begin, int64_t end) {
                 HWY_DYNAMIC_DISPATCH(scale_range)(a, begin, end);
               });
             }});
  cast.add({"simd", DeviceType::cpu,
            [](const Cast& a, const Machine& m) {
              const Refusal refusal = refuse_unless_simd(m, a.from);
              return refusal != nullptr ? refusal : refuse_unless_simd(m, a.to);
            },
            [](const Cast& a, Stream&) {
              parallel_for(a.count, kGrain, [&](int64_t begin, int64_t end) {
                HWY_DYNAMIC_DISPATCH(cast_range)(a, begin, end);
              });
            }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE

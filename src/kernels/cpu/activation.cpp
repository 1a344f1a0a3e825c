#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/activation.cpp"
#include "kernels/cpu/targets.h"

#include <hwy/foreach_target.h>  // compiles this file once per instruction set

#include "kernels/activation.h"
#include "kernels/cpu/activation_sums.h"
#include "kernels/cpu/gelu_table.h"
#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace suanli::kernels {
namespace HWY_NAMESPACE {

/// sqrt(2/pi) (x + 0.044715 x^3) doubled: gelu_tanh = x sigmoid(that), which keeps the lower tail accurate.
HWY_INLINE Vector gelu_argument(Vector x) {
  const Vector inner = hn::MulAdd(hn::Mul(x, x), constant(0.044715F), constant(1.0F));
  return hn::Mul(hn::Mul(x, constant(1.5957691216F)), inner);
}

#if HWY_CAP_GE512
/// Where x lies among the pieces of a GeluTable: piece n = round(|x| / width), r = |x| / width - n.
struct Place {
  hn::Indices512<float> n;
  Vector r;
  explicit HWY_INLINE Place(Vector x) {
    const Vector magic = constant(0x1.8p23F);  // adding it leaves the nearest integer in the low bits
    const Vector z = hn::Min(constant(GeluTable::kEnd), hn::Mul(hn::Abs(x), constant(1 / GeluTable::kWidth)));
    const Vector shifted = hn::Add(z, magic);
    n = hn::IndicesFromVec(F32(), hn::And(hn::BitCast(U32(), shifted), hn::Set(U32(), 15)));
    r = hn::Sub(z, hn::Sub(shifted, magic));
  }
};

/// 1/2 + sign(x) (the polynomial of the piece at r): f(x) of a function with f(x) + f(-x) = 1.
HWY_INLINE Vector about_half(const GeluTable::Coefficients& c, Vector x, const Place& at) {
  const auto term = [&](int k) SUANLI_INLINE { return hn::TableLookupLanes(hn::Load(F32(), c[k]), at.n); };
  Vector sum = term(GeluTable::kDegree);
  for (int k = GeluTable::kDegree - 1; k >= 0; --k) sum = hn::MulAdd(sum, at.r, term(k));
  return hn::Add(hn::CopySign(sum, x), constant(0.5F));
}

struct Gelu {
  const GeluTable& table = gelu_table();
  HWY_INLINE Vector value(Vector x) const { return hn::Mul(x, about_half(table.cumulative, x, Place(x))); }
  HWY_INLINE Vector slope(Vector x) const { return about_half(table.slope, x, Place(x)); }
};
#else
struct Gelu {
  static HWY_INLINE Vector value(Vector x) { return hn::Mul(x, normal(x).cumulative); }
  static HWY_INLINE Vector slope(Vector x) {
    const Normal n = normal(x);
    return hn::MulAdd(hn::Mul(x, constant(0.3989422804F)), n.bell, n.cumulative);
  }
};
#endif
struct GeluTanh {
  static HWY_INLINE Vector value(Vector x) { return hn::Mul(x, sigmoid(gelu_argument(x))); }
  static HWY_INLINE Vector slope(Vector x) {
    const Vector s = sigmoid(gelu_argument(x)), rest = sigmoid(hn::Neg(gelu_argument(x)));
    const Vector inner = hn::MulAdd(hn::Mul(x, x), constant(3 * 0.044715F), constant(1.0F));
    return hn::MulAdd(hn::Mul(hn::Mul(s, rest), hn::Mul(x, constant(1.5957691216F))), inner, s);
  }
};
struct Relu {
  // Written as comparisons so that NaN passes through.
  static HWY_INLINE Vector value(Vector x) { return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(F32())), x); }
  static HWY_INLINE Vector slope(Vector x) { return hn::IfThenZeroElse(hn::Le(x, hn::Zero(F32())), constant(1.0F)); }
};
struct Relu6 {
  static HWY_INLINE Vector value(Vector x) {
    const Vector six = constant(6.0F);
    return hn::IfThenElse(hn::Gt(x, six), six, Relu::value(x));
  }
  static HWY_INLINE Vector slope(Vector x) { return hn::IfThenZeroElse(hn::Ge(x, constant(6.0F)), Relu::slope(x)); }
};
struct Tanh {
  static HWY_INLINE Vector value(Vector x) { return tanh(x); }
  static HWY_INLINE Vector slope(Vector x) {
    // 1 - tanh^2 = 4 s (1 - s) with s = sigmoid(2x): no cancellation where tanh is near 1.
    const Vector twice = hn::Add(x, x);
    return hn::Mul(hn::Mul(sigmoid(twice), sigmoid(hn::Neg(twice))), constant(4.0F));
  }
};
struct Sigmoid {
  static HWY_INLINE Vector value(Vector x) { return sigmoid(x); }
  static HWY_INLINE Vector slope(Vector x) { return hn::Mul(sigmoid(x), sigmoid(hn::Neg(x))); }
};

template <class T, class F>
void forward_as(const F& f, const ActivationForward& a, int64_t begin, int64_t end) {
  const T* x = static_cast<const T*>(a.x) + begin;
  T* y = static_cast<T*>(a.y) + begin;
  each_vector(end - begin, [&](int64_t i, int64_t n) SUANLI_INLINE { store(f.value(load(x + i, n)), y + i, n); });
}

template <class T, class F>
void backward_as(const F& f, const ActivationBackward& a, int64_t begin, int64_t end) {
  const T *x = static_cast<const T*>(a.x) + begin, *dy = static_cast<const T*>(a.dy) + begin;
  T* dx = static_cast<T*>(a.dx) + begin;
  each_vector(end - begin, [&](int64_t i, int64_t n)
                               SUANLI_INLINE { store(hn::Mul(load(dy + i, n), f.slope(load(x + i, n))), dx + i, n); });
}

/// Calls call(F()) with the struct of `kind` above.
template <class Call>
HWY_INLINE void with_activation(Activation kind, const Call& call) {
  switch (kind) {
    case Activation::gelu:
      return call(Gelu());
    case Activation::gelu_tanh:
      return call(GeluTanh());
    case Activation::relu:
      return call(Relu());
    case Activation::tanh:
      return call(Tanh());
    case Activation::sigmoid:
      return call(Sigmoid());
    case Activation::relu6:
      return call(Relu6());
  }
}

void activation_forward_range(const ActivationForward& a, int64_t begin, int64_t end) {
  with_activation(a.kind, [&](auto f) SUANLI_INLINE {
    a.dtype == DType::f32 ? forward_as<float>(f, a, begin, end) : forward_as<bfloat16>(f, a, begin, end);
  });
}

void activation_backward_range(const ActivationBackward& a, int64_t begin, int64_t end) {
  with_activation(a.kind, [&](auto f) SUANLI_INLINE {
    a.dtype == DType::f32 ? backward_as<float>(f, a, begin, end) : backward_as<bfloat16>(f, a, begin, end);
  });
}

void activation_sums(Activation kind, float* x, float* slope, int64_t count) {
  with_activation(kind, [&](auto f) SUANLI_INLINE {
    each_vector(count, [&](int64_t i, int64_t n) SUANLI_INLINE {
      const Vector v = load(x + i, n);
      store(f.value(v), x + i, n);
      if (slope != nullptr) store(f.slope(v), slope + i, n);
    });
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace suanli::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/parallel.h"
#include "kernels/cpu/add.h"

namespace suanli::kernels {
HWY_EXPORT(activation_forward_range);
HWY_EXPORT(activation_backward_range);
HWY_EXPORT(activation_sums);

void activate_sums(Activation f, float* x, float* slope, int64_t count) {
  HWY_DYNAMIC_DISPATCH(activation_sums)(f, x, slope, count);
}

void add_activation() {
  constexpr int64_t kGrain = 8192;
  activation_forward.add({"simd", DeviceType::cpu,
                          [](const ActivationForward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                          [](const ActivationForward& a, Stream&) {
                            parallel_for(a.count, kGrain, [&](int64_t begin, int64_t end) {
                              HWY_DYNAMIC_DISPATCH(activation_forward_range)(a, begin, end);
                            });
                          }});
  activation_backward.add({"simd", DeviceType::cpu,
                           [](const ActivationBackward& a, const Machine& m) { return refuse_unless_simd(m, a.dtype); },
                           [](const ActivationBackward& a, Stream&) {
                             parallel_for(a.count, kGrain, [&](int64_t begin, int64_t end) {
                               HWY_DYNAMIC_DISPATCH(activation_backward_range)(a, begin, end);
                             });
                           }});
}
}  // namespace suanli::kernels
#endif  // HWY_ONCE

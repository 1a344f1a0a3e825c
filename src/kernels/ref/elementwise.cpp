#include <bit>
#include <cmath>
#include <numbers>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

namespace {

template <class C>
constexpr C kSqrtHalf = std::numbers::sqrt2_v<C> / 2;
template <class C>
constexpr C kSqrt2OverPi = std::numbers::sqrt2_v<C>* std::numbers::inv_sqrtpi_v<C>;

template <class C>
C sigmoid(C x) {
  return 1 / (1 + std::exp(-x));
}

template <class C>
C activate(Activation kind, C x) {
  switch (kind) {
    case Activation::gelu:
      return x / 2 * (1 + std::erf(x * kSqrtHalf<C>));
    case Activation::gelu_tanh:
      return x / 2 * (1 + std::tanh(kSqrt2OverPi<C> * (x + C(0.044715) * x * x * x)));
    case Activation::relu:
      return x < 0 ? 0 : x;  // written so that NaN stays NaN
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return sigmoid(x);
  }
  return x;
}

/// dy f'(x). The factors are multiplied in an order in which a large |x| meets the vanishing factor first.
template <class C>
C activation_gradient(Activation kind, C x, C dy) {
  switch (kind) {
    case Activation::gelu: {  // f' = cdf(x) + x pdf(x), of the standard normal distribution
      const C cdf = (1 + std::erf(x * kSqrtHalf<C>)) / 2;
      const C pdf = std::exp(-x * x / 2) * kSqrt2OverPi<C> / 2;
      return dy * (cdf + x * pdf);
    }
    case Activation::gelu_tanh: {  // f' = (1 + t) / 2 + x/2 (1 - t^2) u',  t = tanh(u)
      const C t = std::tanh(kSqrt2OverPi<C> * (x + C(0.044715) * x * x * x));
      const C slope = kSqrt2OverPi<C> * (1 + 3 * C(0.044715) * x * x);
      return dy * ((1 + t) / 2 + x / 2 * (1 - t * t) * slope);
    }
    case Activation::relu:
      return x <= 0 ? 0 : dy;
    case Activation::tanh: {
      const C t = std::tanh(x);
      return dy * (1 - t * t);
    }
    case Activation::sigmoid: {
      const C s = sigmoid(x);
      return dy * (s * (1 - s));
    }
  }
  return dy;
}

/// f64 to f32 with "round to odd": an inexact result gets its last bit set. A second rounding, to 16 bits, then gives
/// what one rounding from f64 would (Boldo and Melquiond 2008).
float round_to_odd(double x) {
  const auto nearest = static_cast<float>(x);
  if (static_cast<double>(nearest) == x || std::isnan(x)) return nearest;
  uint32_t bits = std::bit_cast<uint32_t>(nearest);
  if (std::abs(static_cast<double>(nearest)) > std::abs(x)) --bits;  // towards zero
  return std::bit_cast<float>(bits | 1);
}

}  // namespace

void run(const ActivationForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    for (int64_t i = 0; i < args.count; ++i) {
      out<T>(args.y)[i] = static_cast<T>(activate(args.kind, static_cast<Compute<T>>(in<T>(args.x)[i])));
    }
  });
}

void run(const ActivationBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t i = 0; i < args.count; ++i) {
      const C x = static_cast<C>(in<T>(args.x)[i]), dy = static_cast<C>(in<T>(args.dy)[i]);
      out<T>(args.dx)[i] = static_cast<T>(activation_gradient(args.kind, x, dy));
    }
  });
}

void run(const Dropout& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t i = 0; i < args.count; ++i) {
      const C factor = dropout_factor(args.dropout, static_cast<uint64_t>(i));
      out<T>(args.y)[i] = static_cast<T>(static_cast<C>(in<T>(args.x)[i]) * factor);
    }
  });
}

void run(const BinaryForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t i = 0; i < args.count; ++i) {
      const C a = static_cast<C>(in<T>(args.a)[i]), b = static_cast<C>(in<T>(args.b)[i]);
      out<T>(args.y)[i] = static_cast<T>(args.kind == Binary::add ? a + b : a * b);
    }
  });
}

void run(const Scale& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const C factor = static_cast<C>(args.scalar) * (args.factor == nullptr ? C{1} : *in<C>(args.factor));
    for (int64_t i = 0; i < args.count; ++i) {
      out<T>(args.y)[i] = static_cast<T>(factor * static_cast<C>(in<T>(args.x)[i]));
    }
  });
}

void run(const Cast& args, Stream&) {
  dispatch_two(args.from, args.to, [&]<class From, class To>() {
    for (int64_t i = 0; i < args.count; ++i) {
      const From x = in<From>(args.x)[i];
      if constexpr (std::is_same_v<From, double> && sizeof(To) == 2) {
        out<To>(args.y)[i] = static_cast<To>(round_to_odd(x));
      } else if constexpr (std::is_same_v<From, To>) {
        out<To>(args.y)[i] = x;
      } else {
        out<To>(args.y)[i] = static_cast<To>(static_cast<Compute<From>>(x));
      }
    }
  });
}

void run(const RowDot& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t r = 0; r < args.rows; ++r) {
      const T* x = in<T>(args.x) + r * args.width;
      const T* z = args.z == nullptr ? nullptr : in<T>(args.z) + r * args.width;
      C sum = 0;
      for (int64_t c = 0; c < args.width; ++c) {
        sum += static_cast<C>(x[c]) * (z == nullptr ? C{1} : static_cast<C>(z[c]));
      }
      out<T>(args.y)[r] = static_cast<T>(sum);
    }
  });
}

void run(const RowScale& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    for (int64_t i = 0; i < args.rows * args.width; ++i) {
      const C factor = static_cast<C>(in<T>(args.factor)[i / args.width]);
      out<T>(args.y)[i] = static_cast<T>(static_cast<C>(in<T>(args.x)[i]) * factor);
    }
  });
}

}  // namespace suanli::kernels::ref

#include <bit>
#include <cmath>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

namespace {

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

/// Rows of the instruction table from plain functions of one lane's values.
#pragma once

#include <cfenv>

#include "opcodes.h"
#include "warp.h"

namespace ptx {

namespace detail {

template <auto F, class D, class... A, size_t... K>
inline void run_lanes(Warp& warp, const Instruction& i, LaneMask lanes, D (*)(A...), std::index_sequence<K...>) {
  D* const out = warp.at<D>(i.operand[0]);
  for_lanes(lanes, [&](int lane) { out[lane] = F(warp.at<A>(i.operand[K + 1])[lane]...); });
}

template <auto F, class D, class... A>
inline void run_lanes(Warp& warp, const Instruction& i, LaneMask lanes, D (*f)(A...)) {
  run_lanes<F>(warp, i, lanes, f, std::index_sequence_for<A...>{});
}

template <auto F>
void nearest(Warp& warp, const Instruction& i, LaneMask lanes) {
  run_lanes<F>(warp, i, lanes, F);
}

template <auto F, int kMode>
void directed(Warp& warp, const Instruction& i, LaneMask lanes) {
  std::fesetround(kMode);
  run_lanes<F>(warp, i, lanes, F);
  std::fesetround(FE_TONEAREST);
}

template <class D, class... A>
std::vector<uint8_t> widths(D (*)(A...)) {
  return {sizeof(D), sizeof(A)...};
}

}  // namespace detail

/// F is a function of values; types have the widths of their registers.
template <auto F>
Row lanewise() {
  return {detail::nearest<F>, detail::widths(F)};
}

/// The same under a rounding mode of <cfenv>.
template <auto F, int kMode>
Row rounded() {
  return {detail::directed<F, kMode>, detail::widths(F)};
}

}  // namespace ptx

/// How the forward pass of attention is cut into tasks, for every kernel alike.
#pragma once

#include <algorithm>

#include "base/parallel.h"
#include "kernels/attention.h"

namespace suanli::kernels {

/// Calls f(sequence, head, begin, end) on some thread for each head of a sequence or, where those are few, for blocks
/// of 64 of its queries; `small` keeps them on the caller.
template <class F>
void each_query_range(const AttentionForward& a, bool small, const F& f) {
  const int64_t heads = a.sequences * a.heads;
  const int64_t cut = heads >= 32 ? std::max<int64_t>(a.longest, 1) : 64, blocks = (a.longest + cut - 1) / cut;
  parallel_tasks(heads * blocks, small, [&](int64_t task) {
    const int64_t block = task % blocks, head = task / blocks % a.heads, sequence = task / blocks / a.heads;
    const int64_t length = a.offsets[sequence + 1] - a.offsets[sequence];
    const int64_t begin = block * cut, end = std::min(length, begin + cut);
    if (begin < end) f(sequence, head, begin, end);
  });
}

}  // namespace suanli::kernels

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/ref/common.h"
#include "kernels/ref/ref.h"

namespace suanli::kernels::ref {

namespace {

/// Where one head of one sequence lies: `length` rows, row i of an operand at base + i * stride.
struct HeadSlice {
  int64_t first, length, head;
};

/// Calls f for every head of every sequence.
template <class Args, class F>
void for_each_head(const Args& args, F&& f) {
  for (int64_t b = 0; b < args.sequences; ++b) {
    for (int64_t a = 0; a < args.heads; ++a) {
      f(HeadSlice{args.offsets[b], args.offsets[b + 1] - args.offsets[b], a});
    }
  }
}

/// Row t of a head in q and dq, in k, v and their gradients, and in out and dout.
template <class Args>
int64_t query_row(const Args& args, const HeadSlice& slice, int64_t i) {
  return (slice.first + i) * args.stride + slice.head * args.head_size;
}
template <class Args>
int64_t key_row(const Args& args, const HeadSlice& slice, int64_t i) {
  return (slice.first + i) * args.stride + slice.head / args.group * args.head_size;
}
template <class Args>
int64_t output_row(const Args& args, const HeadSlice& slice, int64_t i) {
  return ((slice.first + i) * args.heads + slice.head) * args.head_size;
}

/// The dropout factor of query i and key j.
template <class Args>
float factor(const Args& args, const HeadSlice& slice, int64_t i, int64_t j) {
  const auto row = static_cast<uint64_t>(slice.head * args.tokens + slice.first + i);
  return dropout_factor(args.dropout, (row << 20) + static_cast<uint64_t>(j));
}

/// The keys that take part for query i: the first ones of its sequence.
template <class Args>
int64_t keys_of(const Args& args, const HeadSlice& slice, int64_t i) {
  return args.causal ? i + 1 : slice.length;
}

template <class C, class T>
C dot(const T* x, const T* y, int64_t size) {
  C sum = 0;
  for (int64_t d = 0; d < size; ++d) sum += static_cast<C>(x[d]) * static_cast<C>(y[d]);
  return sum;
}

}  // namespace

void run(const AttentionForward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const T *q = in<T>(args.q), *k = in<T>(args.k), *v = in<T>(args.v);
    std::vector<C> p(static_cast<size_t>(args.longest)), sum(static_cast<size_t>(args.head_size));
    for_each_head(args, [&](const HeadSlice& slice) {
      for (int64_t i = 0; i < slice.length; ++i) {
        const int64_t keys = keys_of(args, slice, i);
        // Scores, their largest, and from it a softmax that cannot overflow.
        C largest = -std::numeric_limits<C>::infinity();
        for (int64_t j = 0; j < keys; ++j) {
          const C score = static_cast<C>(args.scale) *
                          dot<C>(q + query_row(args, slice, i), k + key_row(args, slice, j), args.head_size);
          p[static_cast<size_t>(j)] = score;
          if (score > largest) largest = score;
        }
        C total = 0;
        for (int64_t j = 0; j < keys; ++j) {
          p[static_cast<size_t>(j)] = std::exp(p[static_cast<size_t>(j)] - largest);
          total += p[static_cast<size_t>(j)];
        }
        std::fill(sum.begin(), sum.end(), C{0});
        for (int64_t j = 0; j < keys; ++j) {
          const C weight = p[static_cast<size_t>(j)] / total * static_cast<C>(factor(args, slice, i, j));
          const T* v_row = v + key_row(args, slice, j);
          for (size_t d = 0; d < sum.size(); ++d) sum[d] += weight * static_cast<C>(v_row[d]);
        }
        T* row = out<T>(args.out) + output_row(args, slice, i);
        for (size_t d = 0; d < sum.size(); ++d) row[d] = static_cast<T>(sum[d]);
        if (args.lse != nullptr) {
          out<C>(args.lse)[slice.head * args.tokens + slice.first + i] = largest + std::log(total);
        }
      }
    });
  });
}

void run(const AttentionBackward& args, Stream&) {
  dispatch_floating(args.dtype, [&]<class T>() {
    using C = Compute<T>;
    const T *q = in<T>(args.q), *k = in<T>(args.k), *v = in<T>(args.v), *dout = in<T>(args.dout);
    const int64_t size = args.head_size;
    std::vector<C> dq, dk,
        dv;  // [length, size] of one head (dk, dv: of one group), summed before they are rounded to T
    for_each_head(args, [&](const HeadSlice& slice) {
      const auto elements = static_cast<size_t>(slice.length * size);
      dq.assign(elements, C{0});
      if (slice.head % args.group == 0) {  // a new head of keys and values
        dk.assign(elements, C{0});
        dv.assign(elements, C{0});
      }
      for (int64_t i = 0; i < slice.length; ++i) {
        const T *q_row = q + query_row(args, slice, i), *dout_row = dout + output_row(args, slice, i);
        const C lse = in<C>(args.lse)[slice.head * args.tokens + slice.first + i];
        const C delta = dot<C>(dout_row, in<T>(args.out) + output_row(args, slice, i), size);
        for (int64_t j = 0; j < keys_of(args, slice, i); ++j) {
          const T *k_row = k + key_row(args, slice, j), *v_row = v + key_row(args, slice, j);
          const C kept = static_cast<C>(factor(args, slice, i, j));
          const C p = std::exp(static_cast<C>(args.scale) * dot<C>(q_row, k_row, size) - lse);
          const C ds = p * (kept * dot<C>(dout_row, v_row, size) - delta) * static_cast<C>(args.scale);
          for (int64_t d = 0; d < size; ++d) {
            dv[static_cast<size_t>(j * size + d)] += kept * p * static_cast<C>(dout_row[d]);
            dq[static_cast<size_t>(i * size + d)] += ds * static_cast<C>(k_row[d]);
            dk[static_cast<size_t>(j * size + d)] += ds * static_cast<C>(q_row[d]);
          }
        }
      }
      for (int64_t i = 0; i < slice.length; ++i) {
        for (int64_t d = 0; d < size; ++d) {
          const int64_t to = key_row(args, slice, i) + d;
          const auto from = static_cast<size_t>(i * size + d);
          out<T>(args.dq)[query_row(args, slice, i) + d] = static_cast<T>(dq[from]);
          out<T>(args.dk)[to] = static_cast<T>(dk[from]);
          out<T>(args.dv)[to] = static_cast<T>(dv[from]);
        }
      }
    });
  });
}

}  // namespace suanli::kernels::ref

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "kernels/cpu/add.h"
#include "kernels/quantized_matmul.h"

namespace suanli::kernels {

namespace {

/// One half of a step: quads of columns [k, k + depth) of `rows` rows; the place is filled with zeros before.
void pack_half(const PackQuantized& args, int64_t n, int64_t rows, int64_t k, int64_t depth, int8_t* half) {
  for (int64_t quad = 0; quad < depth; quad += 4) {
    const int8_t* from = args.b + n * args.k + k + quad;
    int8_t* to = half + quad * 16;
    if (quad + 4 <= depth) {
      for (int64_t r = 0; r < rows; ++r) std::memcpy(to + r * 4, from + r * args.k, 4);
    } else {
      for (int64_t r = 0; r < rows; ++r) std::copy_n(from + r * args.k, depth - quad, to + r * 4);
    }
  }
}

void pack_square(const PackQuantized& args, int64_t n, int8_t* square) {
  const QuantizedLayout layout{args.n, args.k};
  const int64_t rows = std::min(QuantizedLayout::kRows, args.n - n);
  std::memset(square, 0, static_cast<size_t>(layout.square_bytes()));
  for (int64_t r = 0; r < rows; r += 16) {
    int8_t* half = square + r / 16 * QuantizedLayout::kHalf;
    for (int64_t k = 0; k < args.k; k += QuantizedLayout::kDepth, half += QuantizedLayout::kStep) {
      pack_half(args, n + r, std::min<int64_t>(16, rows - r), k, std::min(QuantizedLayout::kDepth, args.k - k), half);
    }
  }
  int8_t* sums = square + layout.steps() * QuantizedLayout::kStep;
  for (int64_t r = 0; r < rows; ++r) {
    const int8_t* row = args.b + (n + r) * args.k;
    int32_t sum = 0;
    for (int64_t k = 0; k < args.k; ++k) sum += row[k];
    std::memcpy(sums + r * int64_t{sizeof sum}, &sum, sizeof sum);
  }
}

void run_pack_quantized(const PackQuantized& args, Stream&) {
  const QuantizedLayout layout{args.n, args.k};
  parallel_for(layout.squares(), (int64_t{1} << 16) / (layout.square_bytes() + 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      pack_square(args, i * QuantizedLayout::kRows, args.packed + i * layout.square_bytes());
    }
  });
}

}  // namespace

void add_pack_quantized() {
  pack_quantized.add({"blocked", DeviceType::cpu,
                      [](const PackQuantized&, const Machine&) -> Refusal { return nullptr; }, run_pack_quantized});
}

}  // namespace suanli::kernels

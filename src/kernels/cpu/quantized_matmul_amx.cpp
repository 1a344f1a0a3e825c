#include "kernels/cpu/add.h"
#include "kernels/cpu/amx_square.h"
#include "kernels/cpu/quantized_finish.h"
#include "kernels/cpu/scratch.h"

namespace suanli::kernels {

namespace {

/// Squares by AMX tiles; a square is finished while the tiles of the next multiply.
class AmxSquares {
 public:
  explicit AmxSquares(const QuantizedMatmul& args)
      : args_(args),
        steps_(QuantizedLayout{args.n, args.k}.steps()),
        buffer_(local_scratch().get<int8_t>(steps_ * QuantizedLayout::kStep + 64)) {}

  /// Rows are read where they lie if whole tiles do, else from a copy. What a copy leaves of the last 64 k of a row is
  /// multiplied by the zeros of B, and rows beyond `rows` are never looked at.
  void begin(int64_t m, int64_t rows) {
    const int8_t* a = args_.a + m * args_.k;
    if (rows == kSide && args_.k % QuantizedLayout::kDepth == 0 && args_.k % 2048 != 0) {
      left_ = {a, args_.k, QuantizedLayout::kDepth, 16 * args_.k};
      return;
    }
    left_ = {buffer_, QuantizedLayout::kDepth, QuantizedLayout::kStep, QuantizedLayout::kHalf};
    for (int64_t r = 0; r < rows; ++r) {
      int8_t* to = buffer_ + r / 16 * QuantizedLayout::kHalf + r % 16 * QuantizedLayout::kDepth;
      for (int64_t k = 0; k < args_.k; k += QuantizedLayout::kDepth, to += QuantizedLayout::kStep) {
        const int64_t count = std::min(QuantizedLayout::kDepth, args_.k - k);
        std::memcpy(to, a + r * args_.k + k, static_cast<size_t>(count));
      }
    }
  }

  SUANLI_AMX void square(const QuantizedSquare& place, const int8_t* b) {
    const int64_t share =
        steps_ == 0 ? kSide : (kSide + 2 * steps_ - 1) / (2 * steps_);  // of the rows of the square before
    QuantizedFinish present(args_, place, sums_[turn_]);
    multiply_square<QuadsOfInt8>(place.rows, steps_, left_, b, sums_[turn_], kSide, [&]() SUANLI_AMX {
      present.prefetch(share);
      previous_.rows(share);
    });
    previous_.rows(kSide);
    previous_ = present;
    turn_ ^= 1;
  }
  void end() { previous_.rows(kSide); }

 private:
  const QuantizedMatmul& args_;
  int64_t steps_;
  int8_t* buffer_;
  LeftTiles<int8_t> left_ = {};
  QuantizedFinish previous_;
  int turn_ = 0;
  alignas(64) int32_t sums_[2][kSide * kSide];
  TileConfiguration tiles_;
};

void run(const QuantizedMatmul& args, Stream&) {
  each_quantized_task(args, int64_t{1} << 21, [&](const Tile& range) {
    AmxSquares squares(args);
    each_square(args, range, squares);
  });
}

Refusal can_run(const QuantizedMatmul& a, const Machine& machine) {
  if (machine.isa != Isa::amx) return "needs AMX";
  if (a.dtype != DType::f32 && (a.dtype != DType::bf16 || !machine.avx512_bf16)) return "dtype is neither f32 nor bf16";
  return refuse_quantized(a);
}

}  // namespace

void add_quantized_matmul_amx() { quantized_matmul.add({"amx", DeviceType::cpu, can_run, run}); }

}  // namespace suanli::kernels

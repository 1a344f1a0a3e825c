#include "kernels/cpu/add.h"
#include "kernels/cpu/quantized_finish.h"
#include "kernels/cpu/scratch.h"

#define SUANLI_AMX_INT8 __attribute__((target("amx-tile,amx-int8,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

namespace suanli::kernels {

namespace {

/// 32 rows of A as two tiles of 16 rows a step: byte offsets from one row, step and half to the next.
struct LeftTiles {
  const int8_t* data;
  int64_t row, step, half;
};

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

  SUANLI_AMX_INT8 void square(const QuantizedSquare& place, const int8_t* b) {
    multiply(place.rows > 16, b, sums_[turn_]);
    previous_.rows(kSide);
    previous_ = QuantizedFinish(args_, place, sums_[turn_]);
    turn_ ^= 1;
  }
  void end() { previous_.rows(kSide); }

 private:
  /// With at most 16 rows the `lower` half is left out.
  SUANLI_AMX_INT8 void multiply(bool lower, const int8_t* b, int32_t* sums) {
    const int64_t share = steps_ == 0 ? kSide : (kSide + steps_ - 1) / steps_;  // of the rows of the square before
    const auto stride = static_cast<size_t>(left_.row);
    const int8_t* a = left_.data;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t step = 0; step < steps_; ++step, a += left_.step, b += QuantizedLayout::kStep) {
      _tile_loadd(4, a, stride);
      _tile_loadd(6, b, 64);
      _tile_dpbssd(0, 4, 6);
      _tile_loadd(7, b + QuantizedLayout::kHalf, 64);
      _tile_dpbssd(1, 4, 7);
      if (lower) {
        _tile_loadd(5, a + left_.half, stride);
        _tile_dpbssd(2, 5, 6);
        _tile_dpbssd(3, 5, 7);
      }
      previous_.rows(share);
    }
    constexpr size_t kBytes = kSide * sizeof(int32_t);
    _tile_stored(0, sums, kBytes);
    _tile_stored(1, sums + 16, kBytes);
    if (!lower) return;
    _tile_stored(2, sums + 16 * kSide, kBytes);
    _tile_stored(3, sums + 16 * kSide + 16, kBytes);
  }

  const QuantizedMatmul& args_;
  int64_t steps_;
  int8_t* buffer_;
  LeftTiles left_ = {};
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

/// AMX by intrinsics, which Highway does not have: tile configuration, and packing of bf16 into the pairs that
/// TDPBF16PS multiplies. Only code that checked Isa::amx may call this.
#pragma once

// GCC 12 takes the deliberately undefined operand of some AVX-512 intrinsics for a mistake (its bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

#include <cstdint>
#include <cstring>

#define SUANLI_AMX \
  __attribute__((target("amx-tile,amx-bf16,amx-int8,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,prfchw")))

namespace suanli::kernels {

/// Intel SDM volume 2, LDTILECFG: palette 1. Static, because GCC 12 takes the intrinsic to read 8 bytes alone, and
/// drops what a function stores behind them.
struct alignas(64) TileContent {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes_per_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
inline constexpr TileContent kTileContent;

/// All eight tiles with 16 rows of 64 bytes, for as long as it lives on this thread.
class TileConfiguration {
 public:
  SUANLI_AMX TileConfiguration() { _tile_loadconfig(&kTileContent); }
  SUANLI_AMX ~TileConfiguration() { _tile_release(); }
  TileConfiguration(const TileConfiguration&) = delete;
  TileConfiguration& operator=(const TileConfiguration&) = delete;
};

/// Asks for the cache lines of `bytes` to be written soon: stores retire in order, and one that waits for its line from
/// memory holds up all that follow.
SUANLI_AMX inline void prefetch_to_write(const void* memory, int64_t bytes) {
  const char* const begin = static_cast<const char*>(memory);
  const auto within_line = static_cast<int64_t>(reinterpret_cast<uintptr_t>(begin) % 64);
  for (int64_t line = -within_line; line < bytes; line += 64) __builtin_prefetch(begin + line, 1);
}

/// The first n of 16 or 32 lanes.
inline __mmask16 first_of_16(int64_t n) { return static_cast<__mmask16>(n >= 16 ? 0xffff : n <= 0 ? 0 : (1 << n) - 1); }
inline __mmask32 first_of_32(int64_t n) {
  return n >= 32 ? 0xffffffffU : n <= 0 ? 0U : (1U << static_cast<unsigned>(n)) - 1U;
}

/// rows[i] lane j becomes rows[j] lane i, for 16 vectors of 16 32-bit lanes.
SUANLI_AMX inline void transpose_16(__m512i (&rows)[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    rows[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    rows[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    rows[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    rows[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_i32x4(rows[i], rows[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(rows[i], rows[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(rows[i + 8], rows[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(rows[i + 8], rows[i + 12], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    rows[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    rows[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
    rows[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    rows[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
  }
}

/// One tile (1 KiB) from a row-major matrix: tile row i holds 32 elements of matrix row i. Missing ones are 0.
SUANLI_AMX inline void load_rows(const uint16_t* x, int64_t stride, int64_t rows, int64_t columns, __m512i (&out)[16]) {
  const __mmask32 mask = first_of_32(columns);
  for (int64_t i = 0; i < 16; ++i) {
    out[i] = i < rows ? _mm512_maskz_loadu_epi16(mask, x + i * stride) : _mm512_setzero_si512();
  }
}

/// The same with the rows joined in pairs: lane j of tile row i holds elements (2i, j) and (2i + 1, j), 16 columns.
SUANLI_AMX inline void load_row_pairs(const uint16_t* x, int64_t stride, int64_t rows, int64_t columns,
                                      __m512i (&out)[16]) {
  const __mmask16 mask = first_of_16(columns);
  const auto row = [&](int64_t i) SUANLI_AMX {
    return i < rows ? _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, x + i * stride)) : _mm512_setzero_si512();
  };
  for (int64_t i = 0; i < 16; ++i) {
    out[i] = _mm512_or_si512(row(2 * i), _mm512_slli_epi32(row(2 * i + 1), 16));
  }
}

SUANLI_AMX inline void store_tile(const __m512i (&rows)[16], uint16_t* out, int64_t stride) {
  for (int64_t i = 0; i < 16; ++i) _mm512_storeu_si512(out + i * stride, rows[i]);
}

}  // namespace suanli::kernels

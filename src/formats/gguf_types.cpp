// The blocks of GGUF's quantised types, as ggml defines them (ggml-common.h, ggml-quants.c): all fields little-endian.
#include <array>
#include <cstring>

#include "formats/gguf.h"

namespace suanli {

namespace {

uint8_t byte_at(const std::byte* p, int64_t i) { return static_cast<uint8_t>(p[i]); }

template <class T>
T read_as(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
float half_at(const std::byte* p) { return static_cast<float>(read_as<float16>(p)); }

void expand_f32(const std::byte* in, int64_t count, float* out) {
  std::memcpy(out, in, static_cast<size_t>(count) * sizeof(float));
}
template <class T>
void expand_16(const std::byte* in, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(read_as<T>(in + 2 * i));
}

/// 32 of d * q, q in 8 bits.
void expand_q8_0(const std::byte* in, int64_t count, float* out) {
  for (; count > 0; --count, in += 34, out += 32) {
    const float d = half_at(in);
    for (int64_t i = 0; i < 32; ++i) out[i] = d * static_cast<float>(static_cast<int8_t>(byte_at(in + 2, i)));
  }
}

/// 32 of d * (q - 8), or of d * q + m; element i in the low half of byte i, element i + 16 in its high half.
void expand_q4_0(const std::byte* in, int64_t count, float* out) {
  for (; count > 0; --count, in += 18, out += 32) {
    const float d = half_at(in);
    for (int64_t i = 0; i < 16; ++i) {
      out[i] = d * static_cast<float>((byte_at(in + 2, i) & 15) - 8);
      out[i + 16] = d * static_cast<float>((byte_at(in + 2, i) >> 4) - 8);
    }
  }
}
void expand_q4_1(const std::byte* in, int64_t count, float* out) {
  for (; count > 0; --count, in += 20, out += 32) {
    const float d = half_at(in), m = half_at(in + 2);
    for (int64_t i = 0; i < 16; ++i) {
      out[i] = d * static_cast<float>(byte_at(in + 4, i) & 15) + m;
      out[i + 16] = d * static_cast<float>(byte_at(in + 4, i) >> 4) + m;
    }
  }
}

/// The 6-bit scale and minimum of sub-block j, packed in 12 bytes: the first four in six bits of a byte each, the upper
/// two bits of those bytes belonging to the last four.
struct ScaleAndMinimum {
  float scale, minimum;
};
ScaleAndMinimum scale_of(const std::byte* packed, int64_t j) {
  const auto at = [&](int64_t i) { return static_cast<int>(byte_at(packed, i)); };
  if (j < 4) return {static_cast<float>(at(j) & 63), static_cast<float>(at(j + 4) & 63)};
  return {static_cast<float>((at(j + 4) & 15) | (at(j - 4) >> 6 << 4)),
          static_cast<float>((at(j + 4) >> 4) | (at(j) >> 6 << 4))};
}

/// 256 of (d scale) q - (dmin minimum) in eight sub-blocks of 32; two of them share 32 bytes, low halves first.
void expand_q4_k(const std::byte* in, int64_t count, float* out) {
  for (; count > 0; --count, in += 144) {
    const float d = half_at(in), dmin = half_at(in + 2);
    for (int64_t j = 0; j < 8; ++j, out += 32) {
      const auto [scale, minimum] = scale_of(in + 4, j);
      const float step = d * scale, low = dmin * minimum;
      for (int64_t i = 0; i < 32; ++i) {
        const int both = byte_at(in + 16 + j / 2 * 32, i);
        out[i] = step * static_cast<float>(j % 2 == 0 ? both & 15 : both >> 4) - low;
      }
    }
  }
}

/// 256 of d scale (q - 32), q in 6 bits (four low ones in 128 bytes, two high ones in 64), a scale for each 16.
void expand_q6_k(const std::byte* in, int64_t count, float* out) {
  for (; count > 0; --count, in += 210, out += 256) {
    const float d = half_at(in + 208);
    for (int64_t i = 0; i < 256; ++i) {
      const int64_t half = i / 128, place = i % 128, quarter = place / 32, l = place % 32;
      const int low = byte_at(in, half * 64 + quarter % 2 * 32 + l) >> (quarter / 2 * 4) & 15;
      const int high = byte_at(in + 128, half * 32 + l) >> (quarter * 2) & 3;
      const auto scale = static_cast<int8_t>(byte_at(in + 192, i / 16));
      out[i] = d * static_cast<float>(scale) * static_cast<float>((low | high << 4) - 32);
    }
  }
}

constexpr std::array kGgufTypes = {
    GgufType{0, "F32", 1, 4, expand_f32},        GgufType{1, "F16", 1, 2, expand_16<float16>},
    GgufType{2, "Q4_0", 32, 18, expand_q4_0},    GgufType{3, "Q4_1", 32, 20, expand_q4_1},
    GgufType{8, "Q8_0", 32, 34, expand_q8_0},    GgufType{12, "Q4_K", 256, 144, expand_q4_k},
    GgufType{14, "Q6_K", 256, 210, expand_q6_k}, GgufType{30, "BF16", 1, 2, expand_16<bfloat16>}};

}  // namespace

const GgufType* gguf_type(uint32_t id) {
  for (const GgufType& type : kGgufTypes) {
    if (type.id == id) return &type;
  }
  return nullptr;
}

}  // namespace suanli

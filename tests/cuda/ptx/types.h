/// The fundamental types of PTX and what an instruction's name says of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ptx {

enum class Type : uint8_t {
  pred,
  b8,
  b16,
  b32,
  b64,
  b128,
  u8,
  u16,
  u32,
  u64,
  s8,
  s16,
  s32,
  s64,
  f16,
  bf16,
  f16x2,
  bf16x2,
  tf32,
  f32,
  f64
};

struct TypeFacts {
  Type type;
  std::string_view name;
  uint8_t bytes;
  bool is_signed, is_float;
};

/// The row of a type in the table of types.
const TypeFacts& facts(Type type);

/// The type that a qualifier such as "s32" names, or nothing.
std::optional<Type> type_named(std::string_view name);

inline uint32_t bytes_of(Type type) { return facts(type).bytes; }

}  // namespace ptx

#include "types.h"

#include <algorithm>
#include <array>

namespace ptx {
namespace {

constexpr std::array<TypeFacts, 21> kTypes = {{
    {Type::pred, "pred", 4, false, false}, {Type::b8, "b8", 1, false, false},
    {Type::b16, "b16", 2, false, false},   {Type::b32, "b32", 4, false, false},
    {Type::b64, "b64", 8, false, false},   {Type::b128, "b128", 16, false, false},
    {Type::u8, "u8", 1, false, false},     {Type::u16, "u16", 2, false, false},
    {Type::u32, "u32", 4, false, false},   {Type::u64, "u64", 8, false, false},
    {Type::s8, "s8", 1, true, false},      {Type::s16, "s16", 2, true, false},
    {Type::s32, "s32", 4, true, false},    {Type::s64, "s64", 8, true, false},
    {Type::f16, "f16", 2, true, true},     {Type::bf16, "bf16", 2, true, true},
    {Type::f16x2, "f16x2", 4, true, true}, {Type::bf16x2, "bf16x2", 4, true, true},
    {Type::tf32, "tf32", 4, true, true},   {Type::f32, "f32", 4, true, true},
    {Type::f64, "f64", 8, true, true},
}};

}  // namespace

const TypeFacts& facts(Type type) { return kTypes[static_cast<size_t>(type)]; }

std::optional<Type> type_named(std::string_view name) {
  const auto row = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeFacts& t) { return t.name == name; });
  return row == kTypes.end() ? std::nullopt : std::optional(row->type);
}

}  // namespace ptx

/// PTX ISA, "Comparison and Selection Instructions": setp, set, selp, slct.
#include <bit>
#include <cmath>

#include "float_format.h"
#include "opcodes.h"
#include "warp.h"

namespace ptx {
namespace {

// control[0]: how the comparison is joined with a third predicate; operand[0]: p, [1]: q, [2], [3]: values, [4]: that
// predicate.
enum Join : uint8_t { kAlone, kAnd, kOr, kXor };

LaneMask join(Warp& warp, const Instruction& i, LaneMask outcome) {
  switch (i.control[0]) {
    case kAnd:
      return outcome & warp.predicate(i.operand[4]);
    case kOr:
      return outcome | warp.predicate(i.operand[4]);
    case kXor:
      return outcome ^ warp.predicate(i.operand[4]);
    default:
      return outcome;
  }
}

struct Equal {
  template <class T>
  bool operator()(T a, T b) const {
    return a == b;
  }
};
struct NotEqual {
  template <class T>
  bool operator()(T a, T b) const {
    return a < b || a > b;
  }
};  // false for NaN, as the ordered ne is
struct Less {
  template <class T>
  bool operator()(T a, T b) const {
    return a < b;
  }
};
struct LessEqual {
  template <class T>
  bool operator()(T a, T b) const {
    return a <= b;
  }
};
struct Greater {
  template <class T>
  bool operator()(T a, T b) const {
    return a > b;
  }
};
struct GreaterEqual {
  template <class T>
  bool operator()(T a, T b) const {
    return a >= b;
  }
};
struct Ordered {
  template <class T>
  bool operator()(T a, T b) const {
    return a == a && b == b;
  }
};
/// The unordered twin is true wherever the opposite ordered relation is false.
template <class Opposite>
struct Not {
  template <class T>
  bool operator()(T a, T b) const {
    return !Opposite{}(a, b);
  }
};

template <class T>
auto comparable(T v) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat>)
    return wide(v);
  else
    return v;
}

template <class T, class Relation>
LaneMask outcome_of(Warp& warp, const Instruction& i, LaneMask lanes) {
  const T* const a = warp.at<T>(i.operand[2]);
  const T* const b = warp.at<T>(i.operand[3]);
  LaneMask out = 0;
  for_lanes(lanes, [&](int lane) { out |= LaneMask{Relation{}(comparable(a[lane]), comparable(b[lane]))} << lane; });
  return out;
}

template <class T, class Relation>
void set_predicates(Warp& warp, const Instruction& i, LaneMask lanes) {
  const LaneMask outcome = outcome_of<T, Relation>(warp, i, lanes);
  const LaneMask p = join(warp, i, outcome), q = i.operand[1] == kNoSlot ? 0 : join(warp, i, ~outcome);
  warp.set_predicate(i.operand[0], p, lanes);
  if (i.operand[1] != kNoSlot) warp.set_predicate(i.operand[1], q, lanes);
}

/// set: all ones or 1.0 where true.
template <class T, class Relation>
void set_values(Warp& warp, const Instruction& i, LaneMask lanes) {
  const LaneMask p = join(warp, i, outcome_of<T, Relation>(warp, i, lanes));
  const auto yes = static_cast<uint32_t>(i.value);
  for_lanes(lanes, [&](int lane) {
    const uint32_t value = (p >> lane & 1) != 0 ? yes : 0;
    if (i.control[1] == 2)
      warp.at<uint16_t>(i.operand[0])[lane] = static_cast<uint16_t>(value);
    else
      warp.at<uint32_t>(i.operand[0])[lane] = value;
  });
}

/// set and setp on pairs: each half compares by itself.
template <class T, class Relation>
void set_pairs(Warp& warp, const Instruction& i, LaneMask lanes) {
  const auto* const a = warp.at<std::array<T, 2>>(i.operand[2]);
  const auto* const b = warp.at<std::array<T, 2>>(i.operand[3]);
  LaneMask halves[2] = {0, 0};
  for_lanes(lanes, [&](int lane) {
    for (int k = 0; k < 2; ++k) halves[k] |= LaneMask{Relation{}(wide(a[lane][k]), wide(b[lane][k]))} << lane;
  });
  if (i.control[2] != 0) {  // setp p|q
    warp.set_predicate(i.operand[0], join(warp, i, halves[0]), lanes);
    warp.set_predicate(i.operand[1], join(warp, i, halves[1]), lanes);
    return;
  }
  const auto yes = static_cast<uint32_t>(i.value);
  for_lanes(lanes, [&](int lane) {
    uint32_t value = 0;
    for (int k = 0; k < 2; ++k) value |= (halves[k] >> lane & 1) != 0 ? (yes & 0xffff) << (16 * k) : 0;
    warp.at<uint32_t>(i.operand[0])[lane] = value;
  });
}

template <class T, class Relation>
Execute form(bool is_set, bool pairs) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat>) {
    if (pairs) return set_pairs<T, Relation>;
  }
  return is_set ? set_values<T, Relation> : set_predicates<T, Relation>;
}

template <class T>
Execute relation(std::string_view name, bool is_set, bool pairs) {
  const auto of = [&]<class R>(R) { return form<T, R>(is_set, pairs); };
  if (name == "eq") return of(Equal{});
  if (name == "ne") return std::is_integral_v<T> ? of(Not<Equal>{}) : of(NotEqual{});
  if (name == "lt" || name == "lo") return of(Less{});
  if (name == "le" || name == "ls") return of(LessEqual{});
  if (name == "gt" || name == "hi") return of(Greater{});
  if (name == "ge" || name == "hs") return of(GreaterEqual{});
  if (name == "equ") return of(Not<NotEqual>{});
  if (name == "neu") return of(Not<Equal>{});
  if (name == "ltu") return of(Not<GreaterEqual>{});
  if (name == "leu") return of(Not<Greater>{});
  if (name == "gtu") return of(Not<LessEqual>{});
  if (name == "geu") return of(Not<Less>{});
  if (name == "num") return of(Ordered{});
  if (name == "nan") return of(Not<Ordered>{});
  return nullptr;
}

Execute comparison(Type type, std::string_view name, bool is_set) {
  switch (type) {
    case Type::s16:
      return relation<int16_t>(name, is_set, false);
    case Type::s32:
      return relation<int32_t>(name, is_set, false);
    case Type::s64:
      return relation<int64_t>(name, is_set, false);
    case Type::b16:
    case Type::u16:
      return relation<uint16_t>(name, is_set, false);
    case Type::b32:
    case Type::u32:
      return relation<uint32_t>(name, is_set, false);
    case Type::b64:
    case Type::u64:
      return relation<uint64_t>(name, is_set, false);
    case Type::f16:
      return relation<Half>(name, is_set, false);
    case Type::bf16:
      return relation<BFloat>(name, is_set, false);
    case Type::f16x2:
      return relation<Half>(name, is_set, true);
    case Type::bf16x2:
      return relation<BFloat>(name, is_set, true);
    case Type::f32:
      return relation<float>(name, is_set, false);
    case Type::f64:
      return relation<double>(name, is_set, false);
    default:
      return nullptr;
  }
}

uint32_t true_value(Type type) {
  switch (type) {
    case Type::f32:
      return 0x3f800000;
    case Type::f16:
      return 0x3c00;
    case Type::f16x2:
      return 0x3c003c00;
    case Type::bf16:
      return 0x3f80;
    case Type::bf16x2:
      return 0x3f803f80;
    default:
      return ~0u;
  }
}

void decode_set(Builder& builder, const Opcode& op, const Statement& s) {
  const bool is_set = op.parts[0] == "set";
  const Type type = op.type(is_set ? 1 : 0);
  const bool pairs = type == Type::f16x2 || type == Type::bf16x2;
  const Execute execute = comparison(type, op.parts[1], is_set);
  if (!execute) builder.fail("this comparison is not in the interpreter: " + std::string(op.text));
  Instruction& i = builder.emit(execute);
  i.control[0] = op.has("and") ? kAnd : op.has("or") ? kOr : op.has("xor") ? kXor : kAlone;
  i.control[2] = pairs && !is_set;
  i.operand[1] = kNoSlot;
  if (is_set) {
    i.control[1] = static_cast<uint8_t>(bytes_of(op.type(0)));
    i.value = true_value(op.type(0));
    i.operand[0] = builder.slot(s.operands[0], i.control[1]);
  } else {
    i.operand[0] = builder.predicate(s.operands[0]);
    if (!s.operands[0].second.empty()) {
      Operand q;
      q.name = s.operands[0].second;
      i.operand[1] = builder.predicate(q);
    }
  }
  i.operand[2] = builder.slot(s.operands[1], bytes_of(type));
  i.operand[3] = builder.slot(s.operands[2], bytes_of(type));
  if (i.control[0] != kAlone) i.operand[4] = builder.predicate(s.operands[3]);
}

template <class T>
void select(Warp& warp, const Instruction& i, LaneMask lanes) {
  const LaneMask first = warp.predicate(i.operand[3]);
  T* const out = warp.at<T>(i.operand[0]);
  const T* const a = warp.at<T>(i.operand[1]);
  const T* const b = warp.at<T>(i.operand[2]);
  for_lanes(lanes, [&](int lane) { out[lane] = (first >> lane & 1) != 0 ? a[lane] : b[lane]; });
}

void decode_selp(Builder& builder, const Opcode& op, const Statement& s) {
  const uint32_t width = bytes_of(op.type());
  Instruction& i = builder.emit(width == 2 ? select<uint16_t> : width == 4 ? select<uint32_t> : select<uint64_t>);
  for (size_t k = 0; k < 3; ++k) i.operand[k] = builder.slot(s.operands[k], width);
  i.operand[3] = builder.predicate(s.operands[3]);
}

template <class T, class Sign>
void select_by_sign(Warp& warp, const Instruction& i, LaneMask lanes) {
  for_lanes(lanes, [&](int lane) {
    const Slot chosen = warp.at<Sign>(i.operand[3])[lane] >= 0 ? i.operand[1] : i.operand[2];
    warp.at<T>(i.operand[0])[lane] = warp.at<T>(chosen)[lane];
  });
}
template <class Sign>
Execute slct_of(uint32_t width) {
  return width == 2   ? select_by_sign<uint16_t, Sign>
         : width == 4 ? select_by_sign<uint32_t, Sign>
                      : select_by_sign<uint64_t, Sign>;
}

void decode_slct(Builder& builder, const Opcode& op, const Statement& s) {
  const uint32_t width = bytes_of(op.type());
  Instruction& i = builder.emit(op.type(1) == Type::f32 ? slct_of<float>(width) : slct_of<int32_t>(width));
  for (size_t k = 0; k < 3; ++k) i.operand[k] = builder.slot(s.operands[k], width);
  i.operand[3] = builder.slot(s.operands[3], 4);
}

}  // namespace

void add_compare_families(OpcodeTable& t) {
  t.family("setp", decode_set);
  t.family("set", decode_set);
  t.family("selp", decode_selp);
  t.family("slct", decode_slct);
}

}  // namespace ptx

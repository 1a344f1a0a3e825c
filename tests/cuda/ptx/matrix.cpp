/// PTX ISA, "Warp Level Matrix Multiply-Accumulate Instructions": mma.sync, ldmatrix, stmatrix.
///
/// The fragments of the m16n8 shapes follow one rule. With group = lane / 4, place = lane % 4 and e elements in a
/// 32-bit register:
///   A, register r, element k: row group + 8 (r % 2), column place e + k + 4 e (r / 2)
///   B, register r, element k: row place e + k + 4 e r, column group
///   C, element k:             row group + 8 (k / 2), column 2 place + k % 2
#include <bit>
#include <cmath>
#include <cstring>

#include "float_format.h"
#include "opcodes.h"
#include "warp.h"

namespace ptx {
namespace {

constexpr int kRows = 16, kColumns = 8, kMaxDepth = 32;

// control[0]: registers of A, [1]: of B; operands: D, A, B, C.
void require_all(Warp& warp, const Instruction& i, LaneMask lanes) {
  if (lanes != kAllLanes) warp.report(i, std::countr_zero(lanes), "a matrix instruction without all 32 lanes");
}

double element(Half, uint32_t bits, int k) { return wide(Half{static_cast<uint16_t>(bits >> (16 * k))}); }
double element(BFloat, uint32_t bits, int k) { return wide(BFloat{static_cast<uint16_t>(bits >> (16 * k))}); }
double element(float, uint32_t bits, int) {
  return std::bit_cast<float>(bits & 0xffffe000u);
}  // tf32 has 10 bits of fraction
int32_t element(int8_t, uint32_t bits, int k) { return static_cast<int8_t>(bits >> (8 * k)); }
int32_t element(uint8_t, uint32_t bits, int k) { return static_cast<uint8_t>(bits >> (8 * k)); }

template <class A, class B>
using Sum = decltype(element(A{}, 0, 0) * element(B{}, 0, 0));

/// sums[row][column] of A B.
template <class A, class B>
void product(Warp& warp, const Slot* a_slots, int a_registers, const Slot* b_slots,
             Sum<A, B> (&sums)[kRows][kColumns]) {
  constexpr int e = static_cast<int>(4 / sizeof(A));
  const int depth = 2 * e * a_registers;
  Sum<A, B> a[kRows][kMaxDepth], b[kMaxDepth][kColumns];
  for (int lane = 0; lane < kWarpSize; ++lane) {
    const int group = lane / 4, place = lane % 4;
    for (int r = 0; r < a_registers; ++r) {
      const uint32_t bits = warp.at<uint32_t>(a_slots[r])[lane];
      for (int k = 0; k < e; ++k) a[group + 8 * (r % 2)][place * e + k + 4 * e * (r / 2)] = element(A{}, bits, k);
    }
    for (int r = 0; r < a_registers / 2; ++r) {
      const uint32_t bits = warp.at<uint32_t>(b_slots[r])[lane];
      for (int k = 0; k < e; ++k) b[place * e + k + 4 * e * r][group] = element(B{}, bits, k);
    }
  }
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column < kColumns; ++column) sums[row][column] = 0;
    for (int k = 0; k < depth; ++k) {
      for (int column = 0; column < kColumns; ++column) sums[row][column] += a[row][k] * b[k][column];
    }
  }
}

int row_of(int lane, int k) { return lane / 4 + 8 * (k / 2); }
int column_of(int lane, int k) { return 2 * (lane % 4) + k % 2; }

/// The sum is exact to f64 and rounded once; the ISA asks for single precision at least.
template <class T>
void multiply_to_f32(Warp& warp, const Instruction& i, LaneMask lanes) {
  if (!warp.converged(i, lanes, kAllLanes)) return;
  require_all(warp, i, lanes);
  double sums[kRows][kColumns];
  const Slot *a = &i.operand[4], *b = a + i.control[0], *c = b + i.control[1];
  product<T, T>(warp, a, i.control[0], b, sums);
  for (int lane = 0; lane < kWarpSize; ++lane) {
    for (int k = 0; k < 4; ++k) {
      const double sum = sums[row_of(lane, k)][column_of(lane, k)] + warp.at<float>(c[k])[lane];
      warp.at<float>(i.operand[k])[lane] = static_cast<float>(sum);
    }
  }
}

void multiply_to_f16(Warp& warp, const Instruction& i, LaneMask lanes) {
  if (!warp.converged(i, lanes, kAllLanes)) return;
  require_all(warp, i, lanes);
  double sums[kRows][kColumns];
  const Slot *a = &i.operand[2], *b = a + i.control[0], *c = b + i.control[1];
  product<Half, Half>(warp, a, i.control[0], b, sums);
  for (int lane = 0; lane < kWarpSize; ++lane) {
    for (int k = 0; k < 4; ++k) {
      const double sum = sums[row_of(lane, k)][column_of(lane, k)] + wide(warp.at<Half>(c[k / 2])[2 * lane + k % 2]);
      warp.at<Half>(i.operand[k / 2])[2 * lane + k % 2] = narrow<Half>(sum);
    }
  }
}

template <class A, class B>
void multiply_to_s32(Warp& warp, const Instruction& i, LaneMask lanes) {
  if (!warp.converged(i, lanes, kAllLanes)) return;
  require_all(warp, i, lanes);
  int32_t sums[kRows][kColumns];
  const Slot *a = &i.operand[4], *b = a + i.control[0], *c = b + i.control[1];
  product<A, B>(warp, a, i.control[0], b, sums);
  for (int lane = 0; lane < kWarpSize; ++lane) {
    for (int k = 0; k < 4; ++k) {
      const int64_t sum = int64_t{sums[row_of(lane, k)][column_of(lane, k)]} + warp.at<int32_t>(c[k])[lane];
      const bool saturates = i.control[2] != 0;
      warp.at<int32_t>(i.operand[k])[lane] =
          static_cast<int32_t>(saturates ? std::min<int64_t>(std::max<int64_t>(sum, INT32_MIN), INT32_MAX) : sum);
    }
  }
}

/// m8n8k4: A row lane / 4, column lane % 4; B the transpose of that; C row lane / 4, columns 2 (lane % 4) and the next.
void multiply_f64(Warp& warp, const Instruction& i, LaneMask lanes) {
  if (!warp.converged(i, lanes, kAllLanes)) return;
  require_all(warp, i, lanes);
  const double *a = warp.at<double>(i.operand[2]), *b = warp.at<double>(i.operand[3]);
  double out[2][kWarpSize];
  for (int lane = 0; lane < kWarpSize; ++lane) {
    for (int k = 0; k < 2; ++k) {
      double sum = warp.at<double>(i.operand[4 + k])[lane];
      const int row = lane / 4, column = 2 * (lane % 4) + k;
      for (int depth = 0; depth < 4; ++depth) sum = std::fma(a[row * 4 + depth], b[column * 4 + depth], sum);
      out[k][lane] = sum;
    }
  }
  for (int k = 0; k < 2; ++k) std::memcpy(warp.at<double>(i.operand[k]), out[k], sizeof out[k]);
}

struct Shape {
  std::string_view types, shape;  // "f32.bf16.bf16.f32", "m16n8k16"
  Execute execute;
  int d, a, b;  // registers
};
constexpr Shape kShapes[] = {
    {"f32.bf16.bf16.f32", "m16n8k16", multiply_to_f32<BFloat>, 4, 4, 2},
    {"f32.bf16.bf16.f32", "m16n8k8", multiply_to_f32<BFloat>, 4, 2, 1},
    {"f32.f16.f16.f32", "m16n8k16", multiply_to_f32<Half>, 4, 4, 2},
    {"f32.f16.f16.f32", "m16n8k8", multiply_to_f32<Half>, 4, 2, 1},
    {"f16.f16.f16.f16", "m16n8k16", multiply_to_f16, 2, 4, 2},
    {"f16.f16.f16.f16", "m16n8k8", multiply_to_f16, 2, 2, 1},
    {"f32.tf32.tf32.f32", "m16n8k8", multiply_to_f32<float>, 4, 4, 2},
    {"f32.tf32.tf32.f32", "m16n8k4", multiply_to_f32<float>, 4, 2, 1},
    {"s32.s8.s8.s32", "m16n8k32", multiply_to_s32<int8_t, int8_t>, 4, 4, 2},
    {"s32.s8.s8.s32", "m16n8k16", multiply_to_s32<int8_t, int8_t>, 4, 2, 1},
    {"s32.u8.s8.s32", "m16n8k32", multiply_to_s32<uint8_t, int8_t>, 4, 4, 2},
    {"s32.s8.u8.s32", "m16n8k32", multiply_to_s32<int8_t, uint8_t>, 4, 4, 2},
    {"s32.u8.u8.s32", "m16n8k32", multiply_to_s32<uint8_t, uint8_t>, 4, 4, 2},
    {"f64.f64.f64.f64", "m8n8k4", multiply_f64, 2, 1, 1},
};

void decode_mma(Builder& builder, const Opcode& op, const Statement& s) {
  for (const Shape& shape : kShapes) {
    if (!op.text.ends_with(shape.types) || !op.has(shape.shape) || !op.has("row") || !op.has("col")) continue;
    const uint32_t width = shape.types == "f64.f64.f64.f64" ? 8 : 4;
    Instruction& i = builder.emit(shape.execute);
    i.control[0] = static_cast<uint8_t>(shape.a);
    i.control[1] = static_cast<uint8_t>(shape.b);
    i.control[2] = op.has("satfinite");
    const int counts[] = {shape.d, shape.a, shape.b, shape.d};
    size_t at = 0;
    for (size_t k = 0; k < 4; ++k) {
      const std::vector<Operand> one = {s.operands[k]};
      const std::vector<Operand>& registers =
          s.operands[k].kind == Operand::Kind::vector ? s.operands[k].elements : one;
      if (static_cast<int>(registers.size()) != counts[k])
        builder.fail("another number of registers in a fragment than the shape has");
      for (const Operand& r : registers) i.operand[at++] = builder.slot(r, width);
    }
    return;
  }
  builder.fail("no such matrix instruction in the interpreter: " + std::string(op.text));
}

// control[0]: matrices, [1]: transposed, [2]: space. operand[0]: address, then a register for each matrix.
// Lanes 8 m to 8 m + 7 bring the addresses of the rows of matrix m; lane l gets or gives elements 2 (l % 4) and the
// next of row l / 4.
template <bool kLoad>
void move_matrices(Warp& warp, const Instruction& i, LaneMask lanes) {
  if (!warp.converged(i, lanes, kAllLanes)) return;
  require_all(warp, i, lanes);
  std::byte* rows[kWarpSize];
  const LaneMask with_address = i.control[0] == 4 ? kAllLanes : (1u << (8 * i.control[0])) - 1;
  warp.resolve(i, i.operand[0], static_cast<Space>(i.control[2]), kLoad ? Warp::Use::read : Warp::Use::write, 16,
               with_address, rows);
  for (int m = 0; m < i.control[0]; ++m) {
    uint16_t* const registers = warp.at<uint16_t>(i.operand[1 + m]);
    for (int k = 0; k < 2 * kWarpSize; ++k) {
      const int row = i.control[1] != 0 ? k % 8 : k / 8, column = i.control[1] != 0 ? k / 8 : k % 8;
      std::byte* const in_memory = rows[8 * m + row] + 2 * column;
      if constexpr (kLoad)
        std::memcpy(&registers[k], in_memory, 2);
      else
        std::memcpy(in_memory, &registers[k], 2);
    }
  }
}

void decode_matrices(Builder& builder, const Opcode& op, const Statement& s) {
  const bool is_load = op.parts[0] == "ldmatrix";
  if (!op.has("m8n8") || !op.has("b16"))
    builder.fail("no such matrix instruction in the interpreter: " + std::string(op.text));
  Instruction& i = builder.emit(is_load ? move_matrices<true> : move_matrices<false>);
  const Operand& registers = s.operands[is_load ? 0 : 1];
  const std::vector<Operand> one = {registers};
  const std::vector<Operand>& matrices = registers.kind == Operand::Kind::vector ? registers.elements : one;
  i.control[0] = static_cast<uint8_t>(matrices.size());
  i.control[1] = op.has("trans");
  i.control[2] = static_cast<uint8_t>(op.has("shared") || op.has("shared::cta") ? Space::shared : Space::generic);
  builder.address(i, 0, s.operands[is_load ? 1 : 0]);
  for (size_t k = 0; k < matrices.size(); ++k) i.operand[1 + k] = builder.slot(matrices[k], 4);
}

}  // namespace

void add_matrix_families(OpcodeTable& t) {
  t.family("mma", decode_mma);
  t.family("ldmatrix", decode_matrices);
  t.family("stmatrix", decode_matrices);
}

}  // namespace ptx

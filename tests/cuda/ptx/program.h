/// A kernel as the interpreter runs it: decoded instructions over the register slots of a warp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ptx {

inline constexpr int kWarpSize = 32;
inline constexpr uint32_t kAllLanes = ~0u;
using LaneMask = uint32_t;

class Warp;
struct Instruction;

/// Runs one instruction for the lanes whose guard holds; lanes is never 0.
using Execute = void (*)(Warp&, const Instruction&, LaneMask lanes);

/// A slot is the byte offset of a register in the warp's file: 32 values of 2, 4 or 8 bytes, or for a predicate one
/// LaneMask. Bit 0 of a predicate's slot says that it is read negated.
using Slot = uint32_t;
inline constexpr Slot kNoSlot = ~0u;

struct Instruction {
  Execute execute = nullptr;
  Slot guard = kNoSlot;
  uint32_t line = 0;                 // of the PTX text
  uint32_t target = 0;               // of a branch or call: index into the code
  int64_t value = 0;                 // offset of an address, or what the handler makes of it
  std::array<uint8_t, 8> control{};  // small switches; their meaning belongs to the handler
  std::array<Slot, 16> operand{};
};

inline constexpr size_t kAddressWidth = 7;  // index into control: bytes of the register that holds an address

enum class Space : uint8_t { generic, global, constant, shared, local, parameter };

/// Generic addresses: device memory lies where no host pointer can, the other spaces have a window each below it.
inline constexpr uint64_t kSharedWindow = 0x0001'0000'0000'0000;
inline constexpr uint64_t kLocalWindow = 0x0001'1000'0000'0000;
inline constexpr uint64_t kParameterWindow = 0x0001'2000'0000'0000;
inline constexpr uint64_t kWindowBytes = uint64_t{1} << 32;
inline constexpr uint64_t kDeviceBase = 0x0002'0000'0000'0000;

/// A special register whose value a warp writes into a slot when it starts.
struct SpecialRegister {
  std::string name;
  Slot slot;
  uint32_t width;
};

/// A number that stands in an instruction: all lanes of its slot hold it.
struct Constant {
  Slot slot;
  uint32_t width;
  uint64_t bits;
};

struct Parameter {
  uint32_t offset, bytes;
};

/// An entry with all the functions it calls, in one code array and one register file.
struct Kernel {
  std::string name;
  std::vector<Instruction> code;
  uint32_t register_bytes = 0;  // of a warp
  std::vector<Constant> constants;
  std::vector<SpecialRegister> specials;
  std::vector<Parameter> parameters;
  std::vector<std::vector<uint32_t>> branch_tables;
  std::vector<uint32_t> source_lines;  // of the .cu file for each instruction, 0 where the text has none
  uint32_t parameter_bytes = 0;
  uint32_t shared_bytes = 0;  // static
  uint32_t local_bytes = 0;   // per lane
  uint32_t max_threads = 1024;
};

}  // namespace ptx

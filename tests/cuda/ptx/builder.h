/// Turns the statements of a kernel and of the functions it calls into instructions over slots.
#pragma once

#include <map>
#include <set>

#include "module.h"

namespace ptx {

/// An opcode and its qualifiers: "ld.global.nc.v4.f32" is ld with {global, nc, v4, f32}.
struct Opcode {
  explicit Opcode(std::string_view text);
  bool has(std::string_view qualifier) const;
  /// The n-th type among the qualifiers; throws SyntaxError when there are fewer.
  Type type(size_t n = 0) const;

  std::string_view text;
  std::vector<std::string_view> parts;  // [0] is the name itself
};

class Builder {
 public:
  Builder(const Module& module, const Function& entry);
  Kernel build();

  // What decoders ask for. Widths are in bytes.
  Slot slot(const Operand& operand, uint32_t width);  // register of that width, or a constant
  Slot any_slot(const Operand& operand,
                uint32_t& width);  // register of any width (out), or a constant of the width given
  Slot predicate(const Operand& operand);
  Slot temporary(uint32_t width);
  void branch_to(Instruction& last_emitted, const Operand& label);  // its target is resolved at the end of the function
  uint32_t branch_table(const Operand& name);                       // number in Kernel::branch_tables
  /// Fills operand[index], value and control[kAddressWidth].
  void address(Instruction& instruction, size_t index, const Operand& operand);
  Space space_of(const Operand& address) const;
  Instruction& emit(Execute execute);
  void call(const Statement& statement);
  [[noreturn]] void fail(const std::string& what) const;

 private:
  struct Symbol {
    enum class Kind : uint8_t { lanes, predicate, address } kind;
    uint32_t width = 0;  // of a register
    uint64_t value = 0;  // slot, or address within the space
    Space space = Space::global;
    uint32_t bytes = 0;  // of a variable
  };
  struct Frame {  // a called function: where its code begins, where its formal parameters lie in local memory
    const Function* function;
    uint32_t begin = 0;
    std::vector<Symbol> results, parameters;
  };

  void body(const Function& function);
  void statement(Reader& reader);
  void declare_registers(const Variable& variable);
  Symbol declare(const Variable& variable, Space space);
  const Symbol* find(std::string_view name) const;
  const Symbol& symbol(std::string_view name);
  Slot constant(uint64_t bits, uint32_t width);
  Slot address_constant(const Symbol& symbol, int64_t offset, uint32_t width);
  Slot special(std::string_view name, uint32_t width);
  Frame& frame(std::string_view name);
  void copy_parameter(const Symbol& from, const Symbol& to);
  uint32_t number_of_label(std::string_view name);

  const Module& module_;
  const Function& entry_;
  Kernel kernel_;
  std::vector<std::map<std::string_view, Symbol>> scopes_;
  std::map<std::pair<uint64_t, uint32_t>, Slot> constants_;
  std::map<std::pair<std::string_view, uint32_t>, Slot> specials_;
  std::map<std::string_view, Symbol> shared_;  // of the module, placed on first use
  std::vector<size_t> after_static_;           // constants to be raised by the size of static shared memory
  std::set<std::string> names_;                // of numbered registers
  std::map<std::string_view, Frame> frames_;
  std::vector<std::string_view> to_build_;
  std::map<std::string_view, std::set<std::string_view>> calls_;
  std::map<std::string_view, uint32_t> labels_;  // of the function at hand
  std::map<std::string_view, uint32_t> label_numbers_;
  std::vector<std::string_view> label_names_;
  std::map<std::string_view, std::vector<std::string_view>> table_labels_;
  std::vector<size_t> branches_, calls_to_link_;
  std::vector<std::string_view> call_names_;
  std::string_view function_name_;
  uint32_t predicate_slot_ = 0;
  uint32_t line_ = 0, source_line_ = 0;
  Slot guard_ = kNoSlot;
};

}  // namespace ptx

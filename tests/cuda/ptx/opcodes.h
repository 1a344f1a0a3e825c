/// The table of instructions: rows that work lane by lane by their full name, families with qualifiers by their first
/// word.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "builder.h"

namespace ptx {

/// A row whose operands are registers or constants of fixed widths, the destination first.
struct Row {
  Execute execute;
  std::vector<uint8_t> widths;
};

using Decoder = void (*)(Builder&, const Opcode&, const Statement&);

class OpcodeTable {
 public:
  /// The one table, filled on first use.
  static const OpcodeTable& get();

  void row(const std::string& name, Row row) { rows_.emplace(name, std::move(row)); }
  void family(const std::string& first_word, Decoder decoder) { families_.emplace(first_word, decoder); }

  /// Emits the statement's instruction. Throws SyntaxError for one that is not in the table.
  void decode(Builder& builder, const Statement& statement) const;

 private:
  std::unordered_map<std::string, Row> rows_;
  std::unordered_map<std::string, Decoder> families_;
};

// One function for each file of instructions.
void add_integer_rows(OpcodeTable& table);
void add_bit_rows(OpcodeTable& table);
void add_carry_rows(OpcodeTable& table);
void add_float_rows(OpcodeTable& table);
void add_half_rows(OpcodeTable& table);
void add_compare_families(OpcodeTable& table);
void add_convert_families(OpcodeTable& table);
void add_move_families(OpcodeTable& table);
void add_memory_families(OpcodeTable& table);
void add_atomic_families(OpcodeTable& table);
void add_async_copy_families(OpcodeTable& table);
void add_matrix_families(OpcodeTable& table);
void add_warp_families(OpcodeTable& table);
void add_control_families(OpcodeTable& table);

}  // namespace ptx

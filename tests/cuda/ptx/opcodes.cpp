#include "opcodes.h"

namespace ptx {

const OpcodeTable& OpcodeTable::get() {
  static const OpcodeTable table = [] {
    OpcodeTable out;
    add_integer_rows(out);
    add_bit_rows(out);
    add_carry_rows(out);
    add_float_rows(out);
    add_half_rows(out);
    add_compare_families(out);
    add_convert_families(out);
    add_move_families(out);
    add_memory_families(out);
    add_atomic_families(out);
    add_async_copy_families(out);
    add_matrix_families(out);
    add_warp_families(out);
    add_control_families(out);
    return out;
  }();
  return table;
}

void OpcodeTable::decode(Builder& builder, const Statement& statement) const {
  if (const auto row = rows_.find(std::string(statement.opcode)); row != rows_.end()) {
    const std::vector<uint8_t>& widths = row->second.widths;
    if (statement.operands.size() != widths.size())
      builder.fail("another number of operands than " + std::string(statement.opcode) + " has");
    Instruction& instruction = builder.emit(row->second.execute);
    for (size_t k = 0; k < widths.size(); ++k) instruction.operand[k] = builder.slot(statement.operands[k], widths[k]);
    return;
  }
  const Opcode opcode(statement.opcode);
  const auto family = families_.find(std::string(opcode.parts[0]));
  if (family == families_.end())
    builder.fail("no such instruction in the interpreter: " + std::string(statement.opcode));
  family->second(builder, opcode, statement);
}

}  // namespace ptx

#include <algorithm>

#include "builder.h"
#include "warp.h"

namespace ptx {

Slot Builder::temporary(uint32_t width) {
  const Slot slot = kernel_.register_bytes;
  kernel_.register_bytes += std::max<uint32_t>(width * kWarpSize, 64);
  return slot;
}

void Builder::declare_registers(const Variable& variable) {
  for (uint32_t number = 0; number < variable.count; ++number) {
    Symbol symbol{Symbol::Kind::lanes, bytes_of(variable.type), 0};
    if (variable.type == Type::pred) {
      symbol.kind = Symbol::Kind::predicate;
      if (predicate_slot_ % 64 == 0) predicate_slot_ = temporary(0);
      symbol.value = predicate_slot_;
      predicate_slot_ += sizeof(LaneMask);
    } else {
      symbol.value = temporary(symbol.width);
    }
    if (!variable.numbered) {
      scopes_.back()[variable.name] = symbol;
    } else {
      scopes_.back()[*names_.insert(std::string(variable.name) + std::to_string(number)).first] = symbol;
    }
  }
}

const Builder::Symbol* Builder::find(std::string_view name) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto found = scope->find(name); found != scope->end()) return &found->second;
  }
  return nullptr;
}

const Builder::Symbol& Builder::symbol(std::string_view name) {
  if (const Symbol* found = find(name)) return *found;
  if (const auto address = module_.addresses.find(name); address != module_.addresses.end()) {
    return scopes_.front()[name] = Symbol{Symbol::Kind::address, 0, address->second, Space::global, 0};
  }
  const auto shared = module_.shared_variables.find(name);
  if (shared == module_.shared_variables.end()) fail("an unknown name: " + std::string(name));
  if (const auto placed = shared_.find(name); placed != shared_.end()) return placed->second;
  return shared_[name] = declare(shared->second, Space::shared);
}

Slot Builder::constant(uint64_t bits, uint32_t width) {
  if (width < 8) bits &= (uint64_t{1} << (width * 8)) - 1;
  const auto [known, is_new] = constants_.try_emplace({bits, width}, 0);
  if (is_new) {
    known->second = temporary(width);
    kernel_.constants.push_back({known->second, width, bits});
  }
  return known->second;
}

Slot Builder::address_constant(const Symbol& symbol, int64_t offset, uint32_t width) {
  const bool after_static = symbol.space == Space::shared && symbol.bytes == 0;
  if (!after_static) return constant(symbol.value + offset, width);
  const Slot slot = temporary(width);
  after_static_.push_back(kernel_.constants.size());
  kernel_.constants.push_back({slot, width, static_cast<uint64_t>(offset)});
  return slot;
}

Slot Builder::special(std::string_view name, uint32_t width) {
  const auto [known, is_new] = specials_.try_emplace({name, width}, 0);
  if (is_new) {
    known->second = temporary(8);
    kernel_.specials.push_back({std::string(name), known->second, width});
  }
  return known->second;
}

Slot Builder::any_slot(const Operand& operand, uint32_t& width) {
  switch (operand.kind) {
    case Operand::Kind::number:
      return constant(operand.bits, width);
    case Operand::Kind::name:
      break;
    default:
      fail("an operand that is a register or a number");
  }
  if (operand.name == "_") return temporary(8);
  if (operand.name == "WARP_SZ") return constant(kWarpSize, width);
  if (const Symbol* found = find(operand.name); found && found->kind == Symbol::Kind::lanes) {
    width = found->width;
    return static_cast<Slot>(found->value);
  }
  if (operand.name.starts_with('%')) {
    return special(operand.name, width);
  }
  const Symbol& variable = symbol(operand.name);
  if (variable.kind != Symbol::Kind::address)
    fail("a register of lanes, not the predicate " + std::string(operand.name));
  return address_constant(variable, operand.offset, width);
}

Slot Builder::slot(const Operand& operand, uint32_t width) {
  uint32_t actual = width;
  const Slot out = any_slot(operand, actual);
  if (actual != width) {
    fail("a register of " + std::to_string(width * 8) + " bits, found " + std::string(operand.name) + " of " +
         std::to_string(actual * 8));
  }
  return out;
}

Slot Builder::predicate(const Operand& operand) {
  if (operand.kind == Operand::Kind::number) {
    const Slot slot = temporary(0);
    kernel_.constants.push_back({slot, 2, operand.bits != 0 ? ~uint64_t{0} : 0});  // two lanes of 16 bits are the mask
    return slot;
  }
  if (operand.name == "_") return temporary(0);
  const Symbol* found = find(operand.name);
  if (!found || found->kind != Symbol::Kind::predicate) fail("a predicate, found " + std::string(operand.name));
  return static_cast<Slot>(found->value) | (operand.negated ? 1u : 0u);
}

void Builder::address(Instruction& instruction, size_t index, const Operand& operand) {
  if (operand.kind != Operand::Kind::address) fail("an address in brackets");
  uint32_t width = 8;
  Operand base = operand;
  base.kind = operand.name.empty() ? Operand::Kind::number : Operand::Kind::name;
  base.offset = 0;
  instruction.operand[index] = any_slot(base, width);
  instruction.value = operand.offset;
  instruction.control[kAddressWidth] = static_cast<uint8_t>(width);
}

Space Builder::space_of(const Operand& address) const {
  const Symbol* found = find(address.name);
  return found && found->kind == Symbol::Kind::address ? found->space : Space::parameter;
}

namespace {

void copy_local(Warp& warp, const Instruction& i, LaneMask lanes) {
  warp.copy_local(i.operand[0], i.operand[1], static_cast<uint32_t>(i.value), lanes);
}

}  // namespace

void Builder::copy_parameter(const Symbol& from, const Symbol& to) {
  Instruction& i = emit(copy_local);
  i.operand[0] = static_cast<uint32_t>(from.value);
  i.operand[1] = static_cast<uint32_t>(to.value);
  i.value = std::min(from.bytes, to.bytes);
}

uint32_t Builder::number_of_label(std::string_view name) {
  const auto [known, is_new] = label_numbers_.try_emplace(name, static_cast<uint32_t>(label_names_.size()));
  if (is_new) label_names_.push_back(name);
  return known->second;
}

void Builder::branch_to(Instruction& last_emitted, const Operand& label) {
  last_emitted.target = number_of_label(label.name);
  branches_.push_back(kernel_.code.size() - 1);
}

uint32_t Builder::branch_table(const Operand& name) {
  std::vector<uint32_t>& targets = kernel_.branch_tables.emplace_back();
  for (const std::string_view label : table_labels_[name.name]) targets.push_back(number_of_label(label));
  return static_cast<uint32_t>(kernel_.branch_tables.size() - 1);
}

}  // namespace ptx

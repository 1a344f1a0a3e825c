#include "builder.h"

#include <algorithm>

#include "opcodes.h"

namespace ptx {
namespace {

uint64_t round_up(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

bool reaches(const std::map<std::string_view, std::set<std::string_view>>& calls, std::string_view from,
             std::string_view to) {
  const auto callees = calls.find(from);
  return callees != calls.end() && std::any_of(callees->second.begin(), callees->second.end(),
                                               [&](auto name) { return name == to || reaches(calls, name, to); });
}

}  // namespace

Opcode::Opcode(std::string_view name) : text(name) {
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    parts.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
}

bool Opcode::has(std::string_view qualifier) const {
  return std::find(parts.begin() + 1, parts.end(), qualifier) != parts.end();
}

Type Opcode::type(size_t n) const {
  for (size_t k = 1; k < parts.size(); ++k) {
    if (const auto named = type_named(parts[k]); named && n-- == 0) return *named;
  }
  throw SyntaxError("[ptx] " + std::string(text) + ": a type is missing");
}

Builder::Builder(const Module& module, const Function& entry) : module_(module), entry_(entry) {}

void Builder::fail(const std::string& what) const {
  throw SyntaxError("[ptx] " + std::string(entry_.name) + ", line " + std::to_string(line_) + ": " + what);
}

Instruction& Builder::emit(Execute execute) {
  Instruction& instruction = kernel_.code.emplace_back();
  instruction.execute = execute;
  instruction.guard = guard_;
  instruction.line = line_;
  kernel_.source_lines.push_back(source_line_);
  return instruction;
}

Kernel Builder::build() {
  kernel_.name = entry_.name;
  kernel_.max_threads = entry_.max_threads;
  scopes_.emplace_back();
  for (const Variable& parameter : entry_.parameters) {
    const Symbol symbol = declare(parameter, Space::parameter);
    kernel_.parameters.push_back({static_cast<uint32_t>(symbol.value), symbol.bytes});
  }
  body(entry_);
  while (!to_build_.empty()) {
    const Frame& callee = frames_.at(to_build_.back());
    to_build_.pop_back();
    frames_.at(callee.function->name).begin = static_cast<uint32_t>(kernel_.code.size());
    scopes_.assign(1, {});
    for (size_t k = 0; k < callee.parameters.size(); ++k)
      scopes_[0][callee.function->parameters[k].name] = callee.parameters[k];
    for (size_t k = 0; k < callee.results.size(); ++k) scopes_[0][callee.function->results[k].name] = callee.results[k];
    body(*callee.function);
  }
  for (size_t k = 0; k < calls_to_link_.size(); ++k)
    kernel_.code[calls_to_link_[k]].target = frames_.at(call_names_[k]).begin;
  for (const size_t constant : after_static_) kernel_.constants[constant].bits += round_up(kernel_.shared_bytes, 16);
  return std::move(kernel_);
}

void Builder::body(const Function& function) {
  function_name_ = function.name;
  labels_.clear(), label_numbers_.clear(), label_names_.clear(), table_labels_.clear(), branches_.clear();
  const size_t first_table = kernel_.branch_tables.size();
  const size_t depth = scopes_.size();
  scopes_.emplace_back();
  Reader reader(module_.tokens, function.body);
  while (scopes_.size() > depth) statement(reader);
  guard_ = kNoSlot;
  Statement end;
  end.opcode = function.is_entry ? "exit" : "ret";
  OpcodeTable::get().decode(*this, end);
  const auto resolve = [&](uint32_t& target) {
    const auto found = labels_.find(label_names_[target]);
    if (found == labels_.end()) fail("no label " + std::string(label_names_[target]));
    target = found->second;
  };
  for (const size_t at : branches_) resolve(kernel_.code[at].target);
  for (size_t table = first_table; table < kernel_.branch_tables.size(); ++table) {
    for (uint32_t& target : kernel_.branch_tables[table]) resolve(target);
  }
}

void Builder::statement(Reader& reader) {
  const std::string_view word = reader.peek().text;
  line_ = reader.peek().line;
  if (reader.accept("{")) {
    scopes_.emplace_back();
  } else if (reader.accept("}")) {
    scopes_.pop_back();
  } else if (reader.accept(";")) {
  } else if (word == ".loc") {
    reader.next(), reader.number();
    source_line_ = static_cast<uint32_t>(reader.number());
    while (reader.peek().line == line_) reader.next();
  } else if (word == ".pragma") {
    while (!reader.accept(";")) reader.next();
  } else if (word == ".reg" || word == ".local" || word == ".shared" || word == ".param") {
    reader.next();
    do {
      const Variable variable = reader.variable();
      if (word == ".reg") {
        declare_registers(variable);
      } else {  // parameters of a call lie in local memory
        scopes_.back()[variable.name] = declare(variable, word == ".shared" ? Space::shared : Space::local);
      }
    } while (reader.accept(","));
    reader.expect(";");
  } else if (reader.peek(1).is(":")) {
    reader.next(), reader.next();
    if (reader.accept(".branchtargets")) {
      do table_labels_[word].push_back(reader.next().text);
      while (reader.accept(","));
      reader.expect(";");
    } else if (reader.peek().is(".callprototype")) {
      fail("calls through a pointer are not in the interpreter");
    } else {
      labels_[word] = static_cast<uint32_t>(kernel_.code.size());
    }
  } else if (word.starts_with('.')) {
    reader.fail("a statement");
  } else {
    const Statement parsed = reader.statement();
    Operand guard;
    guard.name = parsed.guard, guard.negated = parsed.guard_negated;
    guard_ = parsed.guard.empty() ? kNoSlot : predicate(guard);
    OpcodeTable::get().decode(*this, parsed);
  }
}

void Builder::call(const Statement& statement) {
  const std::vector<Operand>& operands = statement.operands;
  const bool has_result = operands[0].kind == Operand::Kind::list;
  const Operand& callee = operands[has_result ? 1 : 0];
  if (callee.name == "__assertfail") {
    return OpcodeTable::get().decode(*this,
                                     Statement{statement.guard, statement.guard_negated, "trap", {}, statement.line});
  }
  const std::vector<Operand> none;
  const std::vector<Operand>& arguments = operands.size() > (has_result ? 2u : 1u) ? operands.back().elements : none;
  calls_[function_name_].insert(callee.name);
  if (reaches(calls_, callee.name, callee.name))
    fail("recursion is not in the interpreter: " + std::string(callee.name));
  const Frame& to = frame(callee.name);
  for (size_t k = 0; k < arguments.size(); ++k) copy_parameter(symbol(arguments[k].name), to.parameters.at(k));
  OpcodeTable::get().decode(*this,
                            Statement{statement.guard, statement.guard_negated, "call.linked", {}, statement.line});
  calls_to_link_.push_back(kernel_.code.size() - 1);
  call_names_.push_back(callee.name);
  if (has_result) copy_parameter(to.results.at(0), symbol(operands[0].elements.at(0).name));
}

Builder::Frame& Builder::frame(std::string_view name) {
  if (const auto known = frames_.find(name); known != frames_.end()) return known->second;
  const auto function = module_.functions.find(name);
  if (function == module_.functions.end() || function->second.body == 0)
    fail("a call of " + std::string(name) + ", which has no body here");
  Frame& out = frames_[name];
  out.function = &function->second;
  for (const Variable& variable : function->second.parameters)
    out.parameters.push_back(declare(variable, Space::local));
  for (const Variable& variable : function->second.results) out.results.push_back(declare(variable, Space::local));
  to_build_.push_back(name);
  return out;
}

Builder::Symbol Builder::declare(const Variable& variable, Space space) {
  uint32_t& end = space == Space::shared      ? kernel_.shared_bytes
                  : space == Space::parameter ? kernel_.parameter_bytes
                                              : kernel_.local_bytes;
  Symbol out{Symbol::Kind::address, 0, round_up(end, variable.alignment), space, static_cast<uint32_t>(variable.bytes)};
  end = static_cast<uint32_t>(out.value + variable.bytes);
  if (space == Space::parameter) scopes_.back()[variable.name] = out;
  return out;
}

Kernel build_kernel(const Module& module, const std::string& name) {
  const auto function = module.functions.find(name);
  if (function == module.functions.end() || !function->second.is_entry)
    throw SyntaxError("[ptx] no entry " + name + " in this module");
  return Builder(module, function->second).build();
}

}  // namespace ptx

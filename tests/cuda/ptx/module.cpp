#include "module.h"

namespace ptx {
namespace {

std::vector<Variable> parameter_list(Reader& reader) {
  std::vector<Variable> out;
  if (!reader.accept("(")) return out;
  while (!reader.accept(")")) {
    reader.expect(".param");
    out.push_back(reader.variable());
    reader.accept(",");
  }
  return out;
}

/// Bounds on the launch between the parameters and the body: `.maxntid 128, 1, 1`.
void performance_directives(Reader& reader, Function& function) {
  while (!reader.at_end() && !reader.peek().is("{") && !reader.peek().is(";")) {
    if (reader.accept(".maxntid") || reader.accept(".reqntid")) {
      function.max_threads = 1;
      do function.max_threads *= static_cast<uint32_t>(reader.number());
      while (reader.accept(","));
    } else {
      reader.next();
    }
  }
}

void function_of(Reader& reader, bool is_entry, Module& module) {
  Function function;
  function.is_entry = is_entry;
  if (!is_entry) function.results = parameter_list(reader);
  function.name = reader.next().text;
  function.parameters = parameter_list(reader);
  performance_directives(reader, function);
  if (reader.peek().is("{")) {
    function.body = reader.position() + 1;
    reader.skip_braces();
  } else {
    reader.expect(";");
  }
  Function& known = module.functions[function.name];
  if (known.body == 0) known = function;
}

}  // namespace

std::unique_ptr<Module> parse_module(std::string text) {
  auto module = std::make_unique<Module>();
  module->source = std::move(text);
  module->tokens = tokens_of(module->source);
  Reader reader(module->tokens, 0);
  while (!reader.at_end()) {
    const std::string_view word = reader.peek().text;
    if (word == ".version" || word == ".target" || word == ".address_size" || word == ".file" || word == ".loc") {
      reader.skip_line();
    } else if (word == ".section") {
      while (!reader.peek().is("{")) reader.next();
      reader.skip_braces();
    } else if (word == ".visible" || word == ".extern" || word == ".weak" || word == ".common") {
      reader.next();
    } else if (word == ".entry" || word == ".func") {
      reader.next();
      function_of(reader, word == ".entry", *module);
    } else if (word == ".global" || word == ".const" || word == ".shared") {
      reader.next();
      const Variable variable = reader.variable();
      reader.expect(";");
      (word == ".shared" ? module->shared_variables : module->global_variables)[variable.name] = variable;
    } else if (word == ".pragma" || word == ".alias") {
      while (!reader.accept(";")) reader.next();
    } else {
      reader.fail("a declaration");
    }
  }
  return module;
}

}  // namespace ptx

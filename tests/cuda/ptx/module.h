/// A PTX module: its functions as token ranges and its variables.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "syntax.h"

namespace ptx {

struct Function {
  std::string_view name;
  bool is_entry = false;
  std::vector<Variable> results, parameters;
  uint32_t max_threads = 1024;
  size_t body = 0;  // token after its '{'; 0 where the function is only declared
};

struct Module {
  std::string source;  // tokens point into it
  std::vector<Token> tokens;
  std::map<std::string_view, Function> functions;
  std::map<std::string_view, Variable> global_variables, shared_variables;  // .const lies with .global
  std::map<std::string_view, uint64_t> addresses;  // of global_variables, once they are in memory
};

/// Throws SyntaxError.
std::unique_ptr<Module> parse_module(std::string text);

/// Decodes an entry and what it calls. Throws SyntaxError for instructions that the interpreter does not have.
Kernel build_kernel(const Module& module, const std::string& name);

}  // namespace ptx

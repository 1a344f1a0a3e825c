/// What the interpreter's tests share: device memory with arrays, kernels from PTX, single instructions over arrays,
/// findings as text.
#pragma once

#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "ptx/block.h"
#include "ptx/module.h"

namespace probe {

/// The PTX that nvcc made of tests/cuda/kernels/<name>.cu.
inline std::string ptx_text(const std::string& name) {
  std::ifstream file(std::string(SUANLI_PROBE_PTX) + "/" + name + ".ptx");
  return {std::istreambuf_iterator<char>(file), {}};
}

class Device {
 public:
  explicit Device(const std::string& text) : module_(ptx::parse_module(text)) {
    for (const auto& [name, variable] : module_->global_variables)
      module_->addresses[name] = memory.allocate(variable.bytes);
  }

  template <class T>
  uint64_t put(const std::vector<T>& values) {
    const uint64_t address = memory.allocate(std::max<size_t>(values.size() * sizeof(T), 1));
    std::memcpy(memory.host(address, values.size() * sizeof(T), true), values.data(), values.size() * sizeof(T));
    return address;
  }
  template <class T>
  std::vector<T> get(uint64_t address, size_t count) {
    const auto* first = reinterpret_cast<const T*>(memory.host(address, count * sizeof(T), false));
    return {first, first + count};
  }

  /// Arguments are copied as they are: 64-bit addresses, int, float.
  template <class... A>
  void launch(const std::string& name, ptx::Extent grid, ptx::Extent threads, uint32_t shared, A... arguments) {
    const ptx::Kernel kernel = ptx::build_kernel(*module_, name);
    ptx::Launch launch{kernel, grid, threads, shared, std::vector<std::byte>(kernel.parameter_bytes)};
    size_t at = 0;
    (std::memcpy(&launch.parameters.at(kernel.parameters.at(at++).offset), &arguments, sizeof arguments), ...);
    ptx::run_launch(launch, memory);
  }

  /// What the checks find in a launch; empty where they find nothing.
  template <class... A>
  std::string finding(const std::string& name, ptx::Extent grid, ptx::Extent threads, uint32_t shared, A... arguments) {
    try {
      launch(name, grid, threads, shared, arguments...);
      return "";
    } catch (const ptx::Finding& finding) {
      return finding.what();
    }
  }

  ptx::Memory memory;

 private:
  std::unique_ptr<ptx::Module> module_;
};

/// Runs one instruction over arrays. `text` names the result %d and the inputs %a, %b, %c: "add.s32 %d, %a, %b;".
/// Registers are as wide as the types (2, 4 or 8 bytes).
template <class D, class... A>
std::vector<D> run(const std::string& text, const std::vector<A>&... inputs) {
  const auto bits = [](size_t bytes) { return ".b" + std::to_string(8 * bytes); };
  std::string parameters, registers, loads;
  size_t count = 0;
  char letter = 'a';
  const auto add = [&](size_t bytes, size_t size) {
    const std::string name(1, letter++);
    count = size;
    parameters += ", .param .u64 in_" + name;
    registers += ".reg " + bits(bytes) + " %" + name + "; .reg .b64 %at_" + name + ";\n";
    loads += "ld.param.u64 %at_" + name + ", [in_" + name + "]; mad.wide.u32 %at_" + name + ", %i, " +
             std::to_string(bytes) + ", %at_" + name + "; ld.global" + bits(bytes) + " %" + name + ", [%at_" + name +
             "];\n";
  };
  (add(sizeof(A), inputs.size()), ...);
  const std::string size = std::to_string(sizeof(D));
  Device device(
      ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry probe(.param .u64 out, .param .u32 n" +
      parameters + ") {\n.reg .pred %p; .reg .pred %q; .reg .b32 %i; .reg .b32 %n; .reg .b64 %at; .reg " +
      bits(sizeof(D)) + " %d;\n" + registers +
      ".reg .b32 %t;\nmov.u32 %i, %ctaid.x; mov.u32 %t, %tid.x; mad.lo.u32 %i, %i, 256, %t; ld.param.u32 %n, [n];\n"
      "setp.ge.u32 %p, %i, %n; @%p bra END;\n" +
      loads + text + "\nld.param.u64 %at, [out]; mad.wide.u32 %at, %i, " + size + ", %at; st.global" + bits(sizeof(D)) +
      " [%at], %d;\nEND: ret;\n}\n");
  const uint64_t out = device.memory.allocate(count * sizeof(D));
  device.launch("probe", {static_cast<uint32_t>((count + 255) / 256)}, {256}, 0, out, static_cast<uint32_t>(count),
                device.put(inputs)...);
  return device.get<D>(out, count);
}

}  // namespace probe

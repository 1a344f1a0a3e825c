#include <unistd.h>

#include <cstdio>
#include <thread>

#include "base/json.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "dist/communicator.h"
#include "kernels/cpu/peak.h"
#include "kernels/gpu_report.h"
#include "kernels/machine.h"
#include "kernels/registry.h"
#include "nn/precision.h"
#include "ops/initialize.h"

namespace suanli::cli {

namespace {

const OptionTable& doctor_options() {
  static const OptionTable table({
      {.name = "json", .type = OptionType::boolean, .default_value = "false", .help = "print one JSON object"},
      {.name = "kernels",
       .type = OptionType::boolean,
       .default_value = "false",
       .help = "list every kernel with its implementations in the order in which they are asked"},
  });
  return table;
}

Json report() {
  const Machine& m = machine();
  const double memory =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE)) / (1 << 30);
  Json out;
  out["version"] = SUANLI_VERSION;
  out["cpu"] = m.cpu_model;
  out["cores"] = std::thread::hardware_concurrency();
  out["threads"] = m.threads;
  out["isa"] = name_of(m.isa);
  out["avx512_bf16"] = m.avx512_bf16;
  out["avx512_vnni"] = m.avx512_vnni;
  out["memory_gib"] = memory;
  out["gpu"] = kernels::gpu_report();
  if (device_count(DeviceType::cuda) > 0) out["gpu"].push_back(dist::communication_report());
  for (const DType dtype : {DType::f32, DType::bf16, DType::i8}) {
    out["gflops"][dtype == DType::i8 ? "int8" : name_of(dtype)] = kernels::measured_peak(dtype, 0.3) * 1e-9;
  }
  out["read_gb_per_second"] = kernels::measured_read_bandwidth() * 1e-9;
  out["precision_auto"] = name_of(nn::precision_named("auto"));
  return out;
}

void print_kernels() {
  for (const auto& entry : kernels::listed_implementations()) {
    std::printf("%-26s %-5s %s\n", entry.kernel.c_str(), entry.device.c_str(), entry.implementation.c_str());
  }
}

void print_text(const Json& r) {
  std::printf("suanli %s\n", r["version"].get<std::string>().c_str());
  std::printf("cpu         %s\n", r["cpu"].get<std::string>().c_str());
  std::printf("cores       %d, %d threads in use (OMP_NUM_THREADS changes this)\n", r["cores"].get<int>(),
              r["threads"].get<int>());
  std::printf("isa         %s%s%s (SUANLI_ISA caps it)\n", r["isa"].get<std::string>().c_str(),
              r["avx512_bf16"].get<bool>() ? ", avx512_bf16" : "", r["avx512_vnni"].get<bool>() ? ", avx512_vnni" : "");
  std::printf("memory      %.1f GiB, read at %.1f GB/s\n", r["memory_gib"].get<double>(),
              r["read_gb_per_second"].get<double>());
  for (const auto& line : r["gpu"]) std::printf("gpu         %s\n", line.get<std::string>().c_str());
  for (const auto& [name, value] : r["gflops"].items()) {
    if (value.get<double>() > 0) {
      std::printf("peak %-6s %.0f G%s/s measured\n", name.c_str(), value.get<double>(), name == "int8" ? "OP" : "FLOP");
    } else {
      std::printf("peak %-6s no instruction for it\n", name.c_str());
    }
  }
  std::printf("precision   auto means %s here\n", r["precision_auto"].get<std::string>().c_str());
}

}  // namespace

int doctor(Arguments arguments) {
  if (print_help(arguments, "suanli doctor [--json] [--kernels]", doctor_options())) return 0;
  Config config(doctor_options());
  read_options(config, arguments, "doctor");
  initialize();
  if (config.get_bool("kernels")) {
    print_kernels();
    return 0;
  }
  const Json result = report();
  if (config.get_bool("json")) {
    std::printf("%s\n", result.dump(2).c_str());
  } else {
    print_text(result);
  }
  return 0;
}

}  // namespace suanli::cli

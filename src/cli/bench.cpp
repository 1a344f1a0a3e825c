#include <cstdio>
#include <fstream>
#include <functional>

#include "base/error.h"
#include "base/json.h"
#include "cli/bench_session.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "kernels/cpu/peak.h"
#include "kernels/machine.h"
#include "kernels/timing/roofline.h"
#include "kernels/timing/timing.h"
#include "nn/precision.h"
#include "ops/initialize.h"
#include "train/step_timing.h"

namespace suanli::cli {

namespace {

const char* kUsage =
    "suanli bench step --task masked-lm|text-classification --model DIR [--batch N] [--length N | --lengths FILE]\n"
    "       suanli bench infer --model DIR [--batch N] [--length N | --lengths FILE]\n"
    "       suanli bench ops [--filter TEXT]\n"
    "       suanli bench session    (JSON lines; for bench/compare.sh)";

const OptionTable& bench_options() {
  static const OptionTable table({
      model_option(),
      {.name = "task",
       .type = OptionType::text,
       .default_value = "masked-lm",
       .help = "what a training step learns",
       .choices = {"masked-lm", "text-classification"}},
      {.name = "batch", .type = OptionType::integer, .default_value = "32", .help = "sequences in a step"},
      {.name = "length", .type = OptionType::integer, .default_value = "128", .help = "tokens in each"},
      {.name = "lengths",
       .type = OptionType::path,
       .help = "a file with one length a line, in place of length; steps take batches of them in turn"},
      device_option(),
      precision_option("f32", "of the computation; int8 for infer alone"),
      {.name = "steps", .type = OptionType::integer, .default_value = "10", .help = "timed training steps"},
      {.name = "seconds", .type = OptionType::real, .default_value = "3", .help = "time for inference, or for all ops"},
      {.name = "filter",
       .type = OptionType::text,
       .default_value = "",
       .help = "only ops whose kernel/size/dtype/implementation contains this"},
      {.name = "json", .type = OptionType::boolean, .default_value = "false", .help = "print one JSON object"},
  });
  return table;
}

BatchLengths batch_lengths(const Config& config) {
  const int64_t batch = config.get_int("batch");
  if (batch < 1 || batch > 1 << 20) {
    throw UserError("batch", "expected 1..2^20 sequences, got " + std::to_string(batch));
  }
  std::vector<int64_t> lengths;
  if (config.is_set("lengths")) {
    const std::string name = config.get_string("lengths");
    std::ifstream file(name);
    for (int64_t length; file >> length;) lengths.push_back(length);
    if (!file.eof()) throw UserError(name, "expected a readable file with one length a line");
  } else {
    lengths.assign(static_cast<size_t>(batch), config.get_int("length"));
  }
  for (const int64_t length : lengths) {
    if (length < 1) throw UserError("lengths", "expected at least 1 token, got " + std::to_string(length));
  }
  if (lengths.empty()) throw UserError("lengths", "expected at least one sequence, got none");
  BatchLengths batches;
  for (size_t begin = 0; begin < lengths.size(); begin += static_cast<size_t>(batch)) {
    const size_t end = std::min(lengths.size(), begin + static_cast<size_t>(batch));
    batches.emplace_back(lengths.begin() + static_cast<std::ptrdiff_t>(begin),
                         lengths.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return batches;
}

Json report(const StepTiming& timing, Device device, const nn::InferencePrecision& precision, bool training) {
  const double median = timing.median();
  Json out;
  if (training) {
    out["tokens_per_second"] = timing.tokens / timing.total();
    out["seconds_per_step"] = median;
  } else {
    out["sequences_per_second"] = timing.sequences / timing.total();
    out["milliseconds"] = median * 1e3;
  }
  out["gflops"] = timing.operations / timing.total() * 1e-9;
  if (device == Device{}) {
    const double peak = std::max(kernels::measured_peak(precision.int8 ? DType::i8 : precision.dtype, 0.2),
                                 kernels::measured_peak(DType::f32, 0.1));
    out["share_of_peak"] = timing.operations / timing.total() / peak;
  }
  out["peak_bytes"] = timing.peak_bytes;
  out["precision"] = precision.name();
  out["cpu"] = machine().cpu_model;
  out["implementation"] = std::string("suanli ") + SUANLI_VERSION + " " +
                          (device == Device{} ? std::string("cpu ") + name_of(machine().isa) : device.text());
  return out;
}

/// Each kernel of a device as a line of text: its limits are not measured here.
int print_device_timings(const std::vector<kernels::KernelTiming>& timings) {
  for (const kernels::KernelTiming& t : timings) {
    std::printf("%-22s %-17s %-5s %-11s %10.1f us %10.1f GFLOP/s %8.1f GB/s\n", t.kernel.c_str(), t.label.c_str(),
                t.dtype.c_str(), t.implementation.c_str(), t.seconds * 1e6, t.flops / t.seconds * 1e-9,
                t.bytes / t.seconds * 1e-9);
  }
  return 0;
}

/// Each kernel beside the roofline: the share of what the machine could do in that time, in operations or in bytes.
int bench_ops(const Config& config) {
  const Device device = device_named(config.get_string("device"));
  const auto timings = kernels::time_kernels(config.get_text("filter"), config.get_float("seconds"), device);
  if (device != Device{}) return print_device_timings(timings);
  const Roofline roofline = kernels::measured_roofline();
  Json rows = Json::array();
  for (const kernels::KernelTiming& t : timings) {
    const double compute = roofline.compute_seconds(t.dtype, t.flops), memory = roofline.memory_seconds(t.bytes);
    rows.push_back({{"op", t.kernel},
                    {"size", t.label},
                    {"dtype", t.dtype},
                    {"implementation", t.implementation},
                    {"microseconds", t.seconds * 1e6},
                    {"gflops", t.flops / t.seconds * 1e-9},
                    {"gigabytes_per_second", t.bytes / t.seconds * 1e-9},
                    {"limit", compute > memory ? "compute" : "memory"},
                    {"share_of_limit", std::max(compute, memory) / t.seconds}});
  }
  if (config.get_bool("json")) {
    const Json out = {{"cpu", machine().cpu_model},
                      {"isa", name_of(machine().isa)},
                      {"threads", machine().threads},
                      {"gflops_f32", roofline.flops_per_second.at("f32") * 1e-9},
                      {"gflops_bf16", roofline.flops_per_second.at("bf16") * 1e-9},
                      {"gigabytes_per_second", roofline.bytes_per_second * 1e-9},
                      {"ops", rows}};
    std::printf("%s\n", out.dump().c_str());
    return 0;
  }
  std::printf("%-22s %-17s %-5s %-11s %10s %10s %8s %s\n", "op", "size", "dtype", "by", "us", "GFLOP/s", "GB/s",
              "of the limit");
  for (const Json& row : rows) {
    std::printf("%-22s %-17s %-5s %-11s %10.1f %10.1f %8.1f %3.0f%% (%s)\n", row["op"].get<std::string>().c_str(),
                row["size"].get<std::string>().c_str(), row["dtype"].get<std::string>().c_str(),
                row["implementation"].get<std::string>().c_str(), row["microseconds"].get<double>(),
                row["gflops"].get<double>(), row["gigabytes_per_second"].get<double>(),
                1e2 * row["share_of_limit"].get<double>(), row["limit"].get<std::string>().c_str());
  }
  return 0;
}

}  // namespace

int bench(Arguments arguments) {
  if (arguments.empty() || print_help(arguments, kUsage, bench_options())) {
    if (arguments.empty()) {
      throw UserError("bench", std::string("expected \"step\", \"infer\", \"ops\" or \"session\"; usage: ") + kUsage);
    }
    return 0;
  }
  const std::string& what = arguments.front();
  if (what != "step" && what != "infer" && what != "ops" && what != "session") {
    throw UserError("bench", "expected \"step\", \"infer\", \"ops\" or \"session\", got \"" + what + "\"");
  }
  Config config(bench_options());
  read_options(config, arguments.subspan(1), "bench");
  initialize();
  if (what == "ops") return bench_ops(config);
  if (what == "session") return bench_session();
  const Device device = device_named(config.get_string("device"));
  const nn::InferencePrecision precision = nn::inference_precision_named(config.get_string("precision"), device);
  const bool training = what == "step";
  if (training && precision.int8) {
    throw UserError("precision",
                    "expected auto, f32, bf16 or f16 for a training step, got int8, which is for inference");
  }
  const auto head =
      config.get_string("task") == "masked-lm" ? models::Head::masked_lm : models::Head::sequence_classification;
  const std::string model = config.get_string("model");
  const StepTiming timing =
      training ? time_training(model, head, batch_lengths(config), precision.dtype,
                               std::max<int64_t>(1, config.get_int("steps")), device)
               : time_inference(model, batch_lengths(config), precision, config.get_float("seconds"), device);
  const Json result = report(timing, device, precision, training);
  if (config.get_bool("json")) {
    std::printf("%s\n", result.dump().c_str());
  } else {
    for (const auto& [key, value] : result.items()) std::printf("%-22s %s\n", key.c_str(), value.dump().c_str());
  }
  return 0;
}

}  // namespace suanli::cli

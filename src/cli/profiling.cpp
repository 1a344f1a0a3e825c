#include "cli/profiling.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <filesystem>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/option_value.h"
#include "base/profile_trace.h"
#include "cli/profile_report.h"
#include "kernels/machine.h"
#include "kernels/timing/roofline.h"
#include "train/signals.h"

namespace suanli::cli {

namespace {

constexpr const char* kDefaultFile = "profile.json";

/// Asked before the run: hours of training should not end in a wrong file name.
void check_writable(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  struct stat status = {};
  if (file.empty() || (stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode))) {
    throw UserError("profile", concat("expected the name of a file to write, got \"", file, "\""));
  }
  if (access(folder.c_str(), W_OK) != 0) {
    throw UserError("profile", concat("expected a file in a folder that can be written, got \"", file, "\""));
  }
}

Json about(const char* verb, const Roofline& roofline) {
  const Machine& m = machine();
  Json peaks = Json::object();
  for (const auto& [dtype, flops] : roofline.flops_per_second) peaks[dtype] = 1e-9 * flops;
  return {{"suanli_version", SUANLI_VERSION},
          {"verb", verb},
          {"cpu", m.cpu_model},
          {"isa", name_of(m.isa)},
          {"threads", m.threads},
          {"peak_gflop_per_second", peaks},
          {"read_gigabyte_per_second", 1e-9 * roofline.bytes_per_second}};
}

void report(const Profile& profile, const std::string& file, const char* verb) {
  const FileSizeLimitFails a_full_disk_is_an_error;
  const Roofline roofline = has_kernels(profile) ? kernels::measured_roofline() : Roofline{};
  print_profile(profile, roofline);
  write_file_atomically(file, trace_json(profile, roofline, about(verb, roofline)));
  std::fprintf(stderr, "the trace is in %s; ui.perfetto.dev opens it\n", file.c_str());
}

}  // namespace

const OptionTable& common_options() {
  static const OptionTable table({{.name = "profile",
                                   .type = OptionType::path,
                                   .help = "write a trace of the run, which ui.perfetto.dev opens, and print the "
                                           "costliest kernels; without a name into profile.json"}});
  return table;
}

std::optional<std::string> take_profile(std::vector<std::string>& words) {
  std::optional<std::string> file;
  for (size_t i = 0; i < words.size() && words[i] != "--";) {
    const std::string word = words[i];
    size_t taken = 1;
    if (word == "--profile") {
      const bool has_file =
          i + 1 < words.size() && !words[i + 1].starts_with("--") && words[i + 1].find('=') == std::string::npos;
      file = has_file ? words[i + 1] : kDefaultFile;
      taken += has_file ? 1 : 0;
    } else if (word.starts_with("--profile=") || word.starts_with("profile=")) {
      file = word.substr(word.find('=') + 1);
    } else {
      ++i;
      continue;
    }
    const auto at = words.begin() + static_cast<std::ptrdiff_t>(i);
    words.erase(at, at + static_cast<std::ptrdiff_t>(taken));
  }
  if (file) {
    file = canonical_value(common_options().options().front(), *file, "command line");
    check_writable(*file);
  }
  return file;
}

int run_with_profile(const std::string& file, const char* verb, const std::function<int()>& run) {
  start_profile();
  int code = 0;
  std::exception_ptr failure;
  try {
    const ProfileScope whole(verb);
    code = run();
  } catch (...) {
    failure = std::current_exception();
  }
  const Profile profile = stop_profile();
  try {
    report(profile, file, verb);
  } catch (const std::exception& error) {
    if (!failure && code == 0) throw;
    std::fprintf(stderr, "error: %s\n", error.what());
  }
  if (failure) std::rethrow_exception(failure);
  return code;
}

}  // namespace suanli::cli

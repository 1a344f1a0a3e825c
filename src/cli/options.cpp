#include "cli/options.h"

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "cli/profiling.h"

namespace suanli::cli {

bool print_help(std::span<const std::string> arguments, const char* usage, const OptionTable& table) {
  const auto asks = [](const std::string& word) { return word == "--help" || word == "-h"; };
  if (std::ranges::none_of(arguments, asks)) return false;
  std::printf("usage: %s\n\n%s\nWith every verb, on the command line alone:\n%s", usage, table.help().c_str(),
              common_options().help().c_str());
  return true;
}

Option model_option() {
  return {.name = "model", .type = OptionType::path, .help = "folder of the model", .aliases = {"model_name_or_path"}};
}

Option device_option() {
  return {.name = "device",
          .type = OptionType::text,
          .default_value = "cpu",
          .help = "where to compute: cpu, cuda, cuda:1, or auto: cuda where there is one"};
}

Option precision_option(const char* default_value, const char* help) {
  return {.name = "precision",
          .type = OptionType::text,
          .default_value = default_value,
          .help = help,
          .choices = {"auto", "f32", "bf16", "f16", "int8"}};
}

void read_options(Config& config, std::span<const std::string> arguments, const char* verb) {
  const auto words = config.read_arguments(arguments);
  if (!words.empty()) {
    throw UserError(verb, "expected options as --key value or key=value, got \"" + words.front() + "\"");
  }
}

}  // namespace suanli::cli

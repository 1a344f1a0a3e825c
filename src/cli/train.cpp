#include "train/run.h"

#include <cstdio>

#include "base/log.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "dist/launch.h"
#include "train/arguments.h"

namespace suanli::cli {

namespace {

constexpr const char* kTrainUsage = "suanli train --config run.yaml [key=value ...]";
constexpr const char* kEvalUsage = "suanli eval model_name_or_path=DIR validation_file=FILE [key=value ...]";

void configure_log_from(const Config& config) {
  const std::string level = config.get_string("log_level");
  configure_log(level == "debug"                          ? LogLevel::debug
                : level == "warning"                      ? LogLevel::warning
                : level == "error" || level == "critical" ? LogLevel::error
                                                          : LogLevel::info,
                config.get_string("log_format") == "json");
}

/// What train and eval have in common around `run`.
int with_options(Arguments arguments, const char* verb, const char* usage, int (*run)(const Config&)) {
  if (print_help(arguments, usage, train_options())) return 0;
  Config config(train_options());
  read_options(config, arguments, verb);
  configure_log_from(config);
  if (config.get_bool("print_config")) {
    std::fputs(config.to_yaml().c_str(), stdout);
    return 0;
  }
  return run(config);
}

}  // namespace

int train(Arguments arguments) {
  return with_options(arguments, "train", kTrainUsage, [](const Config& config) {
    // What the first of several ranks says holds for all.
    if (dist::launch_of_environment().rank > 0)
      configure_log(LogLevel::error, config.get_string("log_format") == "json");
    return run_training(config);
  });
}

int eval(Arguments arguments) { return with_options(arguments, "eval", kEvalUsage, run_evaluation); }

}  // namespace suanli::cli

/// What the verbs share: help, and the resolution of their options.
#pragma once

#include <span>
#include <string>

#include "base/config.h"

namespace suanli::cli {

/// Prints usage and the options of a verb when the arguments ask for --help; true when they did.
bool print_help(std::span<const std::string> arguments, const char* usage, const OptionTable& table);

/// --model, --device (cpu) and --precision, as the verbs that compute have them.
Option model_option();
Option device_option();
Option precision_option(const char* default_value,
                        const char* help = "of the computation; auto picks f32 or bf16 by measuring");

/// Reads the arguments into `config`. Throws UserError for a word that is no option.
void read_options(Config& config, std::span<const std::string> arguments, const char* verb);

}  // namespace suanli::cli

/// --profile, an option of every verb: a trace of the run in a file, and what it cost on standard error.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/option.h"

namespace suanli::cli {

/// The options that every verb takes on the command line beside its own; they are no part of a run's configuration.
const OptionTable& common_options();

/// Takes `--profile [FILE]`, `--profile=FILE` or `profile=FILE` out of the words after a verb and returns the file of
/// the last of them. The next word is the file unless it begins with "--" or is itself a key=value; without one the
/// file is profile.json. Throws UserError when FILE cannot be written: its folder is missing, or it is no regular file.
std::optional<std::string> take_profile(std::vector<std::string>& words);

/// Returns what `run` returns, or throws what it throws. In both cases the trace is then in `file` and the costliest
/// kernels are printed on standard error. A trace that cannot be written is an EnvironmentError where the run itself
/// went well, else a message beside its own.
int run_with_profile(const std::string& file, const char* verb, const std::function<int()>& run);

}  // namespace suanli::cli

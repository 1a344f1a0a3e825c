/// The only door to environment variables: they choose devices, logging and paths, never numerics.
#pragma once

#include <optional>
#include <string>

namespace suanli {

/// The value of `name`, or nothing where it is unset or empty.
std::optional<std::string> environment(const char* name);

}  // namespace suanli

/// Logging to stderr through spdlog: results go to stdout, everything a person reads beside them comes here.
#pragma once

#include <string_view>

namespace suanli {

enum class LogLevel { debug, info, warning, error };

/// Sets the lowest level shown (default info). `json` writes one JSON object a line.
void configure_log(LogLevel level, bool json);

void log_debug(std::string_view message);
void log_info(std::string_view message);
void log_warning(std::string_view message);
void log_error(std::string_view message);

/// True where SUANLI_LOG (comma-separated topics) names `topic`, such as "kernels".
bool log_topic(std::string_view topic);

}  // namespace suanli

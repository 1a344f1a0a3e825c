#include "base/log.h"

#include <atomic>
#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/env.h"
#include "base/json.h"

namespace suanli {
namespace {

constexpr const char* kTextPattern = "[%H:%M:%S] %l: %v";
std::atomic<bool> g_json = false;

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("suanli", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern(kTextPattern);
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

void write(LogLevel level, std::string_view message) {
  // The JSON pattern gives time and level itself; the message is the one part that needs escaping.
  if (g_json) {
    const std::string text = Json(message).dump(-1, ' ', false, Json::error_handler_t::replace);
    logger().log(level_of(level), spdlog::string_view_t(text.data(), text.size()));
  } else {
    logger().log(level_of(level), spdlog::string_view_t(message.data(), message.size()));
  }
}

}  // namespace

void configure_log(LogLevel level, bool json) {
  g_json = json;
  logger().set_level(level_of(level));
  logger().set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%v})" : kTextPattern);
}

void log_debug(std::string_view message) { write(LogLevel::debug, message); }
void log_info(std::string_view message) { write(LogLevel::info, message); }
void log_warning(std::string_view message) { write(LogLevel::warning, message); }
void log_error(std::string_view message) { write(LogLevel::error, message); }

bool log_topic(std::string_view topic) {
  const auto topics = environment("SUANLI_LOG");
  if (!topics) return false;
  std::string_view rest = *topics;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    if (rest.substr(0, comma) == topic) return true;
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return false;
}

}  // namespace suanli

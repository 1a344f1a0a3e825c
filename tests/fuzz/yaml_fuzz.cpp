/// Any bytes as a run file: UserError, or values whose YAML dump reads back to the same values.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/config.h"
#include "base/error.h"
#include "base/log.h"

namespace {

const suanli::OptionTable& table() {
  using enum suanli::OptionType;
  static const suanli::OptionTable options({
      {"a", text},
      {"b", boolean, "false", "", {"old_b"}},
      {"i", integer, "1"},
      {"r", real, "1.5"},
      {"l", list},
      {"c", text, "no", "", {}, {"no", "steps"}},
      {"p", path},
  });
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  suanli::configure_log(suanli::LogLevel::error, false);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  suanli::Config config(table());
  try {
    config.read_yaml_text(std::string_view(reinterpret_cast<const char*>(data), size), "input");
  } catch (const suanli::UserError&) {
    return 0;
  }
  if (config.is_set("p") && config.get_string("p").find_first_of("$~") != std::string::npos) return 0;
  suanli::Config again(table());
  again.read_yaml_text(config.to_yaml(), "dump");
  if (again.to_json() != config.to_json()) __builtin_trap();
  return 0;
}

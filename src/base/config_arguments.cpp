#include "base/concat.h"
#include "base/config.h"
#include "base/error.h"
#include "base/option_value.h"

namespace suanli {
namespace {

constexpr std::string_view kCommandLine = "command line";

/// One word of the command line taken apart.
struct Word {
  std::string key;    ///< empty: not an option
  std::string value;  ///< of key=value and --key=value
  bool has_value = false;
  bool dashed = false;
};

bool is_key(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || !letter(text[0])) return false;
  for (const char c : text) {
    if (!letter(c) && c != '-' && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

Word take_apart(const std::string& argument) {
  Word word;
  word.dashed = argument.starts_with("--");
  const size_t begin = word.dashed ? 2 : 0;
  const size_t equals = argument.find('=');
  word.has_value = equals != std::string::npos;
  const std::string key = argument.substr(begin, word.has_value ? equals - begin : std::string::npos);
  if (word.dashed || (word.has_value && is_key(key))) word.key = key;
  if (word.has_value) word.value = argument.substr(equals + 1);
  return word;
}

bool is_option(const std::string& argument) { return argument.size() > 2 && argument.starts_with("--"); }

}  // namespace

std::vector<std::string> Config::read_arguments(std::span<const std::string> arguments) {
  struct Setting {
    std::string key, value;
  };
  std::vector<Setting> settings;
  std::vector<std::string> positionals;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      positionals.insert(positionals.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    Word word = take_apart(argument);
    if (word.key.empty()) {
      if (argument.size() > 1 && argument[0] == '-') {
        throw UserError(kCommandLine, concat("unknown option \"", argument, "\"; options are --name value"));
      }
      positionals.push_back(argument);
      continue;
    }
    const bool config = word.key == "config";
    const int option = config ? -1 : table_->find(word.key);
    const bool boolean = option >= 0 && table_->options()[static_cast<size_t>(option)].type == OptionType::boolean;
    if (!word.has_value) {
      const bool negated = option < 0 && (word.key.starts_with("no-") || word.key.starts_with("no_"));
      const int positive = negated ? table_->find(std::string_view(word.key).substr(3)) : -1;
      const bool has_next = i + 1 < arguments.size();
      if (positive >= 0 && table_->options()[static_cast<size_t>(positive)].type == OptionType::boolean) {
        word.key = word.key.substr(3);
        word.value = "false";
      } else if (boolean) {
        word.value = has_next && is_boolean_word(arguments[i + 1]) ? arguments[++i] : "true";
      } else {
        if (!config) require(word.key, kCommandLine);
        if (!has_next || is_option(arguments[i + 1])) {
          throw UserError(kCommandLine, concat("--", word.key, " needs a value: --", word.key, " VALUE"));
        }
        word.value = arguments[++i];
      }
    }
    if (config) {
      read_yaml(word.value);
    } else {
      settings.push_back({word.key, word.value});
    }
  }
  for (const Setting& setting : settings) set(setting.key, setting.value, kCommandLine);
  return positionals;
}

}  // namespace suanli

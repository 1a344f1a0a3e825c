/// Options declared once: their names, types, defaults and help, from which parsing, --help and dumps follow.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace suanli {

enum class OptionType { text, path, boolean, integer, real, list };

/// One option. `default_value` is its text form as on a command line; empty means "not set".
struct Option {
  std::string name;  ///< snake_case, as Hugging Face names it
  OptionType type = OptionType::text;
  std::string default_value = {};
  std::string help = {};
  std::vector<std::string> aliases = {};  ///< old names: accepted, with one warning
  std::vector<std::string> choices = {};  ///< the only values accepted (of each element for a list); empty: any
  bool no_effect = false;                 ///< accepted for compatibility; a given value is one warning
};

/// The options of a verb or of the whole program.
class OptionTable {
 public:
  /// A name or alias that occurs twice is our mistake (assertion).
  explicit OptionTable(std::vector<Option> options);

  const std::vector<Option>& options() const { return options_; }

  /// The index of the option called `name` or with that alias, '-' read as '_'; -1 where there is none.
  int find(std::string_view name) const;

  /// All names without the aliases, in the order declared.
  const std::vector<std::string>& names() const { return names_; }

  /// The text of --help: one entry an option with its type, choices, default and old names, wrapped at 100 columns.
  std::string help() const;

 private:
  std::vector<Option> options_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, int> index_;
};

/// What the user reads for a type: "text", "path", "true|false", "integer", "number", "list".
std::string_view option_type_name(OptionType type);

}  // namespace suanli

/// The configuration of a run: default < YAML file < command line, every value with the place it came from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/option.h"

namespace suanli {

/// Values for the options of a table. The table must outlive it. Reading a value that has neither been given nor has a
/// default throws UserError that names the option; asking for an unknown option or another type is our mistake.
class Config {
 public:
  /// Starts with the defaults of the table.
  explicit Config(const OptionTable& table);

  /// Reads one flat YAML mapping of at most 1 MiB. Throws UserError with file and line for an unknown key (with the
  /// nearest name), a key given twice (also by an old name), nesting, tags, several documents, or a value that its
  /// option cannot hold. `null` takes a value back to "not set".
  void read_yaml(const std::filesystem::path& file);

  /// The same from text; `where` stands for the file name in messages.
  void read_yaml_text(std::string_view text, std::string_view where);

  /// Reads the words after the verb: first every `--config FILE`, then over it `key=value`, `--key value`,
  /// `--key=value`, `--switch`, `--no-switch`; '-' and '_' are one. Returns the words that are none of these, in
  /// order; `--` ends the options. Throws UserError like read_yaml; the last of several values for one key stands.
  std::vector<std::string> read_arguments(std::span<const std::string> arguments);

  /// Sets one option from text as on a command line; `where` is kept for messages. Throws UserError.
  void set(std::string_view name, std::string_view value, std::string_view where);

  bool is_set(std::string_view name) const;         ///< has a value, given or by default
  bool is_given(std::string_view name) const;       ///< a file or the command line gave it
  std::string source(std::string_view name) const;  ///< "run.yaml:3", "command line" or "default"

  std::string get_string(std::string_view name) const;  ///< text, path
  std::string get_text(std::string_view name) const;    ///< the same, "" where it is not set
  bool get_bool(std::string_view name) const;
  int64_t get_int(std::string_view name) const;
  double get_float(std::string_view name) const;                   ///< real, always finite
  std::vector<std::string> get_list(std::string_view name) const;  ///< empty where not set

  /// All options by name with typed values; null where not set.
  Json to_json() const;

  /// All options as YAML that read_yaml takes back to the same values; with the source behind each given value.
  std::string to_yaml() const;

  const OptionTable& table() const { return *table_; }

 private:
  struct Value {
    bool set = false;
    std::string text;  ///< canonical form; not for lists
    std::vector<std::string> list;
    std::string where;  ///< empty: the default
  };
  int require(std::string_view written, std::string_view where);
  void store(int option, std::string_view text, std::string_view where);
  void store_list(int option, std::vector<std::string> list, std::string_view where);
  void put(int option, Value value, std::string_view where);
  const Value& at(std::string_view name, bool must_be_set) const;
  int index(std::string_view name) const;

  const OptionTable* table_;
  std::vector<Value> values_;
  std::vector<std::string> warned_;
};

}  // namespace suanli

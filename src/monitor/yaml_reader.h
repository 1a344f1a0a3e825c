/// A value of a YAML document that knows its line: reads what a key must hold, and says where it does not.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"

namespace suanli::monitor {

class YamlReader {
 public:
  /// The whole document, which outlives this.
  YamlReader(const YamlDocument& document, std::string_view where)
      : document_(&document), value_(&document.value), where_(where) {}

  /// Throws UserError `[file:line] message`.
  [[noreturn]] void fail(std::string_view message) const;
  /// Throws UserError "expected X, got <the value>".
  [[noreturn]] void refuse(std::string_view expected) const;

  const Json& value() const { return *value_; }
  /// Throws unless this is a mapping with no keys but these.
  void allow_only(std::span<const std::string> keys) const;
  /// The value of a key; nothing where it is missing or null.
  std::optional<YamlReader> find(const std::string& key) const;
  YamlReader at(const std::string& key) const;                      ///< throws where it is missing
  std::vector<YamlReader> items() const;                            ///< of a list
  std::vector<std::pair<std::string, YamlReader>> entries() const;  ///< of a mapping

  std::string text() const;  ///< of a string, whole number or truth value: as written; not empty
  double number() const;
  int64_t whole_number() const;
  double seconds() const;  ///< a duration above 0: a number, or text as parse_duration() takes it

 private:
  YamlReader child(const std::string& key, const Json& value) const;

  const YamlDocument* document_;
  const Json* value_;
  Json::json_pointer pointer_;
  std::string where_;
};

}  // namespace suanli::monitor

/// One flat YAML mapping: keys with scalars or lists of scalars, each with its line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace suanli {

/// One `key: value`. All scalars are text here: what they mean is the reader's affair.
struct YamlEntry {
  enum class Kind { null, scalar, list };
  std::string key, where;  ///< where: `file:line` of the key
  Kind kind = Kind::null;
  std::string text;  ///< of a scalar
  std::vector<std::string> list;
  std::string value_where;  ///< `file:line` of the value
};

/// Parses YAML text that is one flat mapping, or nothing. `where` stands for the file's name. Throws UserError with
/// file and line: text that is no UTF-8 or no YAML, NUL, nested blocks, tags, anchors and aliases, several documents,
/// keys that are no plain names. Repeated keys are returned as they stand.
std::vector<YamlEntry> parse_flat_yaml(std::string_view text, std::string_view where);

}  // namespace suanli

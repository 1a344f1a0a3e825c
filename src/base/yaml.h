/// YAML documents of any nesting as JSON: files of other programs, such as Ultralytics' data.yaml.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/json.h"

namespace suanli {

/// The only document of `text`. Plain scalars are null, true, false, whole or real numbers, else strings; keys become
/// strings. Nesting up to 16; anchors, aliases and tags are refused. `where` names the source in errors. Throws
/// UserError with the line.
Json parse_yaml(std::string_view text, std::string_view where);

/// A document with the line of each value in it, by its JSON pointer ("/rules/0/name"), for errors of what it means.
struct YamlDocument {
  Json value;
  std::map<std::string, int> lines;  ///< from 1
};

/// The same as parse_yaml, with lines.
YamlDocument parse_yaml_with_lines(std::string_view text, std::string_view where);

/// Reads and parses a file of at most 16 MiB. Throws UserError.
Json read_yaml(const std::filesystem::path& file);

}  // namespace suanli

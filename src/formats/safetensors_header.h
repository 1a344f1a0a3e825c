/// The JSON header of a safetensors file, read in one pass without a document tree; internal to formats/.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.h"

namespace suanli {

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< names are views into the header text or into `decoded`
  std::map<std::string, std::string> metadata;
  std::unique_ptr<char[]> decoded;  ///< strings that held escapes; empty in ordinary files
};

/// Reads a header. Checks its grammar, field names, element types, number forms, ranks, and that the bytes of each
/// tensor are what its shape and type ask for; names may still repeat and ranges may still overlap.
/// Throws UserError that names `where` and the byte of the file.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::string_view where);

}  // namespace suanli

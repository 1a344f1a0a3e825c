/// JSON as the whole program reads it: strict, depth-limited, duplicate keys refused, errors that name file and place.
#pragma once

#include <filesystem>
#include <string_view>

#include <nlohmann/json.hpp>

namespace suanli {

using Json = nlohmann::json;

/// Parses strict JSON (UTF-8, no comments, nesting up to 64, no duplicate keys). `where` names the source in errors.
/// Throws UserError.
Json parse_json(std::string_view text, std::string_view where);

/// Reads and parses a file of at most `limit` bytes. Throws UserError.
Json read_json(const std::filesystem::path& file, uint64_t limit = uint64_t{256} << 20);

/// `object[key]` as T. Throws UserError when it is missing or of another type.
template <class T>
T json_get(const Json& object, std::string_view key, std::string_view where);

/// The same, or `otherwise` where the key is missing or null.
template <class T>
T json_get_or(const Json& object, std::string_view key, T otherwise, std::string_view where);

}  // namespace suanli

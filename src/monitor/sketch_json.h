/// Checked reading of the parts of a sketch; internal to monitor/.
#pragma once

#include "base/concat.h"
#include "base/error.h"
#include "base/json.h"

namespace suanli::monitor {

/// A JSON number from `least` to `most`; `key` names it. Throws UserError.
inline double checked_number(const Json& value, std::string_view key, double least, double most,
                             std::string_view where) {
  if (!value.is_number() || !(value.get<double>() >= least && value.get<double>() <= most)) {
    throw UserError(where, concat("expected a number from ", least, " to ", most, " in \"", key, "\", got ",
                                  value.is_number() ? value.dump() : value.type_name()));
  }
  return value.get<double>();
}

/// The same of the key of an object.
inline double read_number(const Json& json, std::string_view key, double least, double most, std::string_view where) {
  return checked_number(json_get<double>(json, key, where), key, least, most, where);
}

/// A whole number from 0 to `most`, 2^53 by default. Throws UserError.
inline int64_t read_count(const Json& json, std::string_view key, std::string_view where,
                          int64_t most = int64_t{1} << 53) {
  const auto count = json_get<int64_t>(json, key, where);
  if (count < 0 || count > most) {
    throw UserError(where, concat("expected a count from 0 to ", most, " as \"", key, "\", got ", count));
  }
  return count;
}

inline uint32_t read_stream(const Json& json, std::string_view where) {
  return static_cast<uint32_t>(read_count(json, "stream", where, UINT32_MAX));
}

/// The list at `key`, of at most `most` elements. Throws UserError.
inline const Json& read_list(const Json& json, std::string_view key, size_t most, std::string_view where) {
  const auto at = json.find(key);
  if (at == json.end() || !at->is_array() || at->size() > most) {
    throw UserError(where, concat("expected a list of at most ", most, " elements as \"", key, "\""));
  }
  return *at;
}

}  // namespace suanli::monitor

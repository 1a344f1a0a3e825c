/// JSON written fast: shortest form of each float, strings escaped once.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace suanli {

/// Appends the shortest decimal that reads back as `value`; "null" for NaN and infinity.
void append_number(std::string& out, float value);
/// Appends `text` in quotes, escaped; it must be UTF-8.
void append_string(std::string& out, std::string_view text);
/// Appends [v0, v1, ...].
void append_numbers(std::string& out, std::span<const float> values);

}  // namespace suanli

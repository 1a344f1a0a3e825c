/// What the text of one cell means: missing, a number, a date.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace suanli {

/// Nothing but spaces, or one of NA, N/A, n/a, #N/A, <NA>, NaN, nan, NULL, null, None (most of what pandas takes so).
bool is_missing(std::string_view cell);

/// The finite decimal number that all of `cell` is, but for spaces around it and a leading '+'.
std::optional<double> parse_number(std::string_view cell);

/// Seconds since 1970-01-01T00:00:00Z of an ISO 8601 date YYYY-MM-DD (or with '/'), alone or followed by 'T' or a space
/// and HH:MM[:SS[.fraction]] and then nothing (read as UTC), Z or +HH:MM. Fractions of a second are cut off.
std::optional<int64_t> parse_date(std::string_view cell);

/// At most `limit` code points of valid UTF-8, "..." behind a text that is longer.
std::string shortened(std::string_view text, size_t limit);

/// `value` with at most `digits` significant digits, as %g writes it.
std::string number_text(double value, int digits);

}  // namespace suanli

/// "Did you mean": the name nearest to a mistyped one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace suanli {

/// The least number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`
/// (Damerau 1964, in the restricted form: no part is edited twice). Bytes, O(|a| |b|).
size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `name` (case and '-' against '_' do not count), the first of equals; empty where none is
/// within a third of its length, at least two edits.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

/// `; did you mean "x"?`, or nothing where no candidate is near.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

}  // namespace suanli

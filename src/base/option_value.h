/// Text of one option value to its canonical form, checked against the type and the choices of the option.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/option.h"

namespace suanli {

/// The canonical text of a scalar value: true/false, a decimal integer, the shortest form of a number, a path with `~`
/// and $VARIABLES replaced, text as it is. `where` and the option's name go into messages. Throws UserError.
std::string canonical_value(const Option& option, std::string_view text, std::string_view where);

/// The elements of `a,b,c` or `["a", "b"]`. Throws UserError.
std::vector<std::string> split_list(const Option& option, std::string_view text, std::string_view where);

/// Throws UserError unless `value` is one of the choices of the option.
void check_choice(const Option& option, std::string_view value, std::string_view where);

/// True for the words that a boolean option takes (true, false, yes, no, on, off, 1, 0 in any case).
bool is_boolean_word(std::string_view text);

}  // namespace suanli

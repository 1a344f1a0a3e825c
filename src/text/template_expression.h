/// Expressions of chat templates; internal to text/.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json.h"

namespace suanli {

/// The names that an expression sees; null stands for undefined.
using TemplateNames = std::map<std::string, Json, std::less<>>;

/// The value of an expression (chat_template.h says of which kind). Throws UserError naming `where`.
Json evaluate_expression(std::string_view text, const TemplateNames& names, std::string_view where);

/// What counts as true: not false, none, 0, an empty text or an empty list.
bool is_true(const Json& value);

/// The value as a template prints it.
std::string text_of(const Json& value);

}  // namespace suanli

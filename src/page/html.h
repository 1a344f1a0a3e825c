/// Pages of HTML that need no other file: frame, style for light and dark, escaping, tables.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace suanli::page {

/// `text` for HTML and XML, inside an element or a quoted attribute: & < > " ' as entities, control characters but tab
/// and line feed left out, what is no UTF-8 or no character of XML 1.0 as U+FFFD.
std::string escaped(std::string_view text);

/// `value` with at most `digits` significant digits; "none" for NaN, "infinite" and "-infinite".
std::string number(double value, int digits = 5);

using Cells = std::vector<std::string>;

/// A table in a box that scrolls sideways; head and cells are text and are escaped here.
std::string table(const Cells& head, std::span<const Cells> rows);

/// The whole page; `body` is HTML. It is also well-formed XML where the body is.
std::string document(std::string_view title, std::string_view body);

}  // namespace suanli::page

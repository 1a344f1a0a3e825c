/// Pictures inside a page.
#pragma once

#include <string>
#include <string_view>

namespace suanli::page {

/// A PNG file as a <figure> with its caption, which is escaped here; the page needs no other file for it.
std::string picture(std::string_view png, std::string_view caption);

}  // namespace suanli::page

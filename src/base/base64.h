/// Bytes as text (RFC 4648, section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace suanli {

std::string to_base64(std::string_view bytes);
/// Nothing for what is no base64. "data:TYPE;base64," before it, and line ends in it, are passed over.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace suanli

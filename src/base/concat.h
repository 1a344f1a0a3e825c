/// Text from its parts, for messages: concat("expected ", 3, " columns, found ", found).
#pragma once

#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>

namespace suanli {

/// The parts one after another: strings and characters as they are, numbers in their shortest exact decimal form,
/// true and false by name, paths as written. Never throws but for memory.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::string text;
  const auto append = [&text](const auto& part) {
    using Part = std::decay_t<decltype(part)>;
    if constexpr (std::is_same_v<Part, bool>) {
      text += part ? "true" : "false";
    } else if constexpr (std::is_same_v<Part, char>) {
      text += part;
    } else if constexpr (std::is_arithmetic_v<Part>) {
      char digits[32];
      text.append(digits, std::to_chars(digits, digits + sizeof digits, part).ptr);
    } else if constexpr (std::is_same_v<Part, std::filesystem::path>) {
      text += part.native();
    } else {
      text += std::string_view(part);
    }
  };
  (append(parts), ...);
  return text;
}

}  // namespace suanli

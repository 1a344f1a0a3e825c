/// SHA-256 (FIPS 180-4, OpenSSL's) of bytes, and bytes as text.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace suanli {

using Sha256 = std::array<unsigned char, 32>;

Sha256 sha256(std::string_view bytes);

/// Two lower-case hexadecimal digits a byte.
std::string to_hex(std::span<const unsigned char> bytes);

}  // namespace suanli

/// UTF-8 checks for what comes from outside.
#pragma once

#include <cstddef>
#include <string_view>

namespace suanli {

/// The first byte that is not part of valid UTF-8 (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF), or
/// npos where all of `text` is valid.
size_t find_invalid_utf8(std::string_view text);

}  // namespace suanli

/// Repair of text whose bytes were read in the wrong encoding on their way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace suanli {

/// What repair_text did, as bits.
enum Repair : uint8_t {
  kDecodedBytes = 1,     ///< bytes that were no UTF-8 have been read as Windows-1252
  kUndidMojibake = 2,    ///< UTF-8 that had been read as Windows-1252 or Latin-1 has been read again ("Ã©" to "é")
  kRemovedControls = 4,  ///< control characters but tab and line ends are gone (NUL among them), and U+FEFF too
  kComposedLetters = 8,  ///< letters with separate accents have become one code point each (NFC)
};

/// Bytes of Windows-1252 as UTF-8; the five bytes that it leaves open become U+FFFD.
std::string from_windows_1252(std::string_view bytes);

/// Repairs `text` in place and says what it did: first the bytes, then mojibake (up to twice over), controls, NFC.
/// Mojibake is undone only where ALL characters beyond ASCII, written as bytes of Windows-1252 (Latin-1 for the five
/// open ones), are valid UTF-8: a text that mixes both stays as it is. A proper text of that form would be changed
/// too; it needs a capital such as Ã or Â before a sign such as ©, and nothing else beyond ASCII.
uint8_t repair_text(std::string* text);

}  // namespace suanli

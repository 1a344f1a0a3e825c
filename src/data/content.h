/// The content of a row as a reader sees it: the same for texts that differ in case, spaces and composition alone.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/rows.h"

namespace suanli {

/// Lower case, NFC, each run of white space one space, none at the ends; invalid UTF-8 as U+FFFD.
std::string normalized_content(std::string_view text);

/// The normalised cells of `columns`, each behind U+001F.
std::string normalized_content(const Row& row, std::span<const size_t> columns);

/// The words of a normalised text: what stands between white space; a Chinese character, kana, Hangul or Thai letter
/// is a word by itself.
std::vector<std::string_view> words_of(std::string_view normalized);

enum class Script { other, latin, greek, cyrillic, hebrew, arabic, devanagari, thai, hangul, kana, han };

/// The script of a letter by the blocks of the Unicode standard; `other` for what is no letter of one of them.
Script script_of(char32_t c);

/// The script named as in the enumeration. Throws UserError that lists them.
Script script_named(std::string_view name);

/// The share of the letters of `text` that belong to `scripts`; 1 for a text without letters. A test of the script
/// alone: it tells Chinese from English, not English from French.
double share_of_scripts(std::string_view text, std::span<const Script> scripts);

}  // namespace suanli

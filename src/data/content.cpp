#include "data/content.h"

#include <algorithm>
#include <iterator>

#include "base/concat.h"
#include "base/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace suanli {
namespace {

struct Block {
  char32_t begin, end;  // inclusive
  Script script;
};

// Ascending. Unicode 15, Blocks.txt; within Latin-1 the letters alone.
constexpr Block kBlocks[] = {
    {0x41, 0x5A, Script::latin},      {0x61, 0x7A, Script::latin},        {0xC0, 0xD6, Script::latin},
    {0xD8, 0xF6, Script::latin},      {0xF8, 0x24F, Script::latin},       {0x370, 0x3FF, Script::greek},
    {0x400, 0x52F, Script::cyrillic}, {0x590, 0x5FF, Script::hebrew},     {0x600, 0x6FF, Script::arabic},
    {0x750, 0x77F, Script::arabic},   {0x900, 0x97F, Script::devanagari}, {0xE00, 0xE7F, Script::thai},
    {0x1100, 0x11FF, Script::hangul}, {0x1E00, 0x1EFF, Script::latin},    {0x1F00, 0x1FFF, Script::greek},
    {0x3040, 0x30FF, Script::kana},   {0x3400, 0x4DBF, Script::han},      {0x4E00, 0x9FFF, Script::han},
    {0xAC00, 0xD7AF, Script::hangul}, {0xF900, 0xFAFF, Script::han},      {0xFB50, 0xFDFF, Script::arabic},
    {0x20000, 0x323AF, Script::han}};

constexpr std::string_view kScriptNames[] = {"other",      "latin", "greek",  "cyrillic", "hebrew", "arabic",
                                             "devanagari", "thai",  "hangul", "kana",     "han"};

/// Scripts that write without spaces between words.
bool stands_alone(char32_t c) {
  if (c < 0xE00) return false;
  const Script script = script_of(c);
  return script == Script::han || script == Script::kana || script == Script::thai || script == Script::hangul;
}

bool is_ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

std::string normalized_content(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool space = false;
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    for (const char c : text) {
      if (is_ascii_space(c)) {
        space = true;
        continue;
      }
      if (space && !out.empty()) out.push_back(' ');
      space = false;
      out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
    }
    return out;
  }
  AlignedText aligned;
  aligned.assign(to_code_points(text), 0);
  unicode::lowercase(aligned);
  unicode::normalize(aligned, unicode::Form::nfc);
  for (const char32_t c : aligned.chars) {
    if (unicode::is_whitespace(c)) {
      space = true;
      continue;
    }
    if (space && !out.empty()) out.push_back(' ');
    space = false;
    append_utf8(c, out);
  }
  return out;
}

std::string normalized_content(const Row& row, std::span<const size_t> columns) {
  std::string out;
  for (const size_t column : columns) {
    if (column < row.cells.size()) out += normalized_content(row.cells[column]);
    out.push_back('\x1F');
  }
  return out;
}

std::vector<std::string_view> words_of(std::string_view normalized) {
  std::vector<std::string_view> words;
  size_t begin = 0;
  const auto close = [&](size_t end) {
    if (end > begin) words.push_back(normalized.substr(begin, end - begin));
  };
  for (size_t at = 0; at < normalized.size();) {
    const auto lead = static_cast<unsigned char>(normalized[at]);
    if (lead < 0x80) {
      if (is_ascii_space(normalized[at]) || normalized[at] == '\x1F') {
        close(at);
        begin = at + 1;
      }
      ++at;
      continue;
    }
    const size_t length = std::min<size_t>(lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4, normalized.size() - at);
    if (length >= 3 && stands_alone(to_code_points(normalized.substr(at, length))[0])) {
      close(at);
      words.push_back(normalized.substr(at, length));
      begin = at + length;
    }
    at += length;
  }
  close(normalized.size());
  return words;
}

Script script_of(char32_t c) {
  const auto* at = std::upper_bound(std::begin(kBlocks), std::end(kBlocks), c,
                                    [](char32_t value, const Block& block) { return value < block.begin; });
  if (at == std::begin(kBlocks)) return Script::other;
  --at;
  return c <= at->end ? at->script : Script::other;
}

Script script_named(std::string_view name) {
  const auto* at = std::find(std::begin(kScriptNames) + 1, std::end(kScriptNames), name);
  if (at != std::end(kScriptNames)) return static_cast<Script>(at - std::begin(kScriptNames));
  std::string list;
  for (const std::string_view known : kScriptNames) {
    if (known != "other") list += concat(list.empty() ? "" : ", ", known);
  }
  throw UserError("scripts", concat("expected some of ", list, ", got \"", name, '"'));
}

double share_of_scripts(std::string_view text, std::span<const Script> scripts) {
  size_t letters = 0, inside = 0;
  for (const char32_t c : to_code_points(text)) {
    if (!unicode::is_letter(c)) continue;
    ++letters;
    inside += std::find(scripts.begin(), scripts.end(), script_of(c)) != scripts.end() ? 1 : 0;
  }
  return letters == 0 ? 1.0 : static_cast<double>(inside) / static_cast<double>(letters);
}

}  // namespace suanli

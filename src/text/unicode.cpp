#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <span>

#include "text/unicode_differences.h"

namespace suanli::unicode {
namespace {

utf8proc_category_t category(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

bool between(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

// The entry of a list of differences that holds `c`, or null.
const Difference* difference(std::span<const Difference> list, char32_t c) {
  const auto after = std::upper_bound(list.begin(), list.end(), c,
                                      [](char32_t value, const Difference& d) { return value < d.first; });
  if (after == list.begin() || c > std::prev(after)->last) return nullptr;
  return &*std::prev(after);
}

// The answer of a list of differences, or else `ours`.
bool corrected(std::span<const Difference> list, char32_t c, bool ours) {
  const Difference* entry = difference(list, c);
  return entry == nullptr ? ours : entry->value != 0;
}

int combining_class(char32_t c) {
  if (c < 0x300) return 0;
  const int ours = utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
  return ours != 0 && difference(differences_starter(), c) != nullptr ? 0 : ours;
}

// The composition of two code points, or 0 where they do not compose.
char32_t compose(char32_t first, char32_t second) {
  if (second < 0x300 || second == 0x11A7) return 0;  // utf8proc 2.8 takes U+11A7 for a trailing consonant
  std::array<utf8proc_int32_t, 2> pair = {static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second)};
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  if (utf8proc_normalize_utf32(pair.data(), 2, options) != 1) return 0;
  const auto composed = static_cast<char32_t>(pair[0]);
  return difference(differences_undecomposed(), composed) != nullptr ? 0 : composed;
}

// Decomposition of every code point, then the canonical order of the marks: text.changes() holds the result.
std::vector<Change>& decompose(AlignedText& text, bool compatible) {
  std::vector<Change>& out = text.changes();
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0));
  bool marks = false;
  for (const char32_t c : text.chars) {
    if (c < (compatible ? 0xA0 : 0xC0) || between(c, 0x3400, 0x9FFF)) {
      out.push_back({c, 0});
      continue;
    }
    std::array<utf8proc_int32_t, 32> parts = {};
    int boundary = 0;
    const auto count =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts.data(), parts.size(), options, &boundary);
    if (count <= 0 || count > static_cast<utf8proc_ssize_t>(parts.size()) ||
        (parts[0] != static_cast<utf8proc_int32_t>(c) && difference(differences_undecomposed(), c) != nullptr)) {
      out.push_back({c, 0});
      continue;
    }
    for (int i = 0; i < count; ++i) {
      const auto part = static_cast<char32_t>(parts[static_cast<size_t>(i)]);
      marks = marks || combining_class(part) != 0;
      out.push_back({part, i > 0 ? 1 : 0});
    }
  }
  if (!marks) return out;
  for (size_t i = 0; i < out.size();) {
    if (combining_class(out[i].c) == 0) {
      ++i;
      continue;
    }
    size_t end = i + 1;
    while (end < out.size() && combining_class(out[end].c) != 0) ++end;
    std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(i), out.begin() + static_cast<std::ptrdiff_t>(end),
                     [](const Change& a, const Change& b) { return combining_class(a.c) < combining_class(b.c); });
    i = end;
  }
  return out;
}

// Canonical composition (Unicode standard, D117) in place. A composed code point counts the changes of its parts: it
// replaces as many old code points as they did.
void recompose(std::vector<Change>& text) {
  size_t out = 0;
  size_t starter = SIZE_MAX;
  int last_class = 0;  // of the mark kept last after the starter; 0: none
  for (const Change item : text) {
    const int item_class = combining_class(item.c);
    if (starter != SIZE_MAX && (last_class == 0 ? out == starter + 1 : last_class < item_class)) {
      if (const char32_t composed = compose(text[starter].c, item.c); composed != 0) {
        text[starter] = {composed, text[starter].change + item.change - 1};
        continue;
      }
    }
    if (item_class == 0) starter = out;
    last_class = item_class;
    text[out++] = item;
  }
  text.resize(out);
}

}  // namespace

bool is_whitespace(char32_t c) {
  if (c < 0x80) return c == ' ' || between(c, '\t', '\r');
  return c == 0x85 || c == 0xA0 || c == 0x1680 || between(c, 0x2000, 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_control(char32_t c) {
  if (c < 0x80) return (c < 0x20 || c == 0x7F) && c != '\t' && c != '\n' && c != '\r';
  const auto k = category(c);
  const bool ours =
      k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_CS || k == UTF8PROC_CATEGORY_CO;
  return corrected(differences_control(), c, ours);
}

bool is_nonspacing_mark(char32_t c) {
  if (c < 0x300) return false;
  return corrected(differences_nonspacing_mark(), c, category(c) == UTF8PROC_CATEGORY_MN);
}

bool is_mark(char32_t c) {
  if (c < 0x300) return false;
  const auto k = category(c);
  return corrected(differences_mark(), c, between(k, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME));
}

bool is_punctuation(char32_t c) {
  if (c < 0x80) return between(c, '!', '/') || between(c, ':', '@') || between(c, '[', '`') || between(c, '{', '~');
  return corrected(differences_punctuation(), c, between(category(c), UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO));
}

bool is_chinese(char32_t c) {
  if (c < 0x3400) return false;
  return between(c, 0x4E00, 0x9FFF) || between(c, 0x3400, 0x4DBF) || between(c, 0xF900, 0xFAFF) ||
         between(c, 0x20000, 0x2A6DF) || between(c, 0x2A700, 0x2B73F) || between(c, 0x2B740, 0x2B81F) ||
         between(c, 0x2B920, 0x2CEAF) || between(c, 0x2F800, 0x2FA1F);
}

bool is_letter(char32_t c) {
  if (c < 0x80) return between(c | 0x20, 'a', 'z');
  return corrected(differences_letter(), c, between(category(c), UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO));
}

bool is_number(char32_t c) {
  if (c < 0x80) return between(c, '0', '9');
  return corrected(differences_number(), c, between(category(c), UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO));
}

bool is_numeric(char32_t c) {
  if (c < 0x80) return between(c, '0', '9');
  return corrected(differences_numeric(), c, between(category(c), UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO));
}

bool is_word(char32_t c) {
  if (c < 0x80) return between(c | 0x20, 'a', 'z') || between(c, '0', '9') || c == '_';
  if (c == 0x200C || c == 0x200D) return true;
  // The symbols of the property Alphabetic: circled, squared and negative letters.
  if (between(c, 0x24B6, 0x24E9) || between(c, 0x1F130, 0x1F149) || between(c, 0x1F150, 0x1F169) ||
      between(c, 0x1F170, 0x1F189)) {
    return true;
  }
  const auto k = category(c);
  return corrected(differences_word(), c,
                   between(k, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_NL) || k == UTF8PROC_CATEGORY_PC);
}

char32_t pattern_proxy(char32_t c) {
  if (c < 0x800) return c;
  const Difference* entry = difference(differences_pattern_proxy(), c);
  return entry == nullptr ? c : static_cast<char32_t>(entry->value);
}

void lowercase(AlignedText& text) {
  bool longer = false;
  for (char32_t& c : text.chars) {
    if (c < 0x80) {
      if (between(c, 'A', 'Z')) c += 'a' - 'A';
    } else if (c == 0x130) {
      longer = true;
    } else if (!between(c, 0x2D00, 0xA63F)) {
      const Difference* entry = c < 0x1C00 ? nullptr : difference(differences_lower_case(), c);
      c = entry == nullptr ? static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)))
                           : c + static_cast<char32_t>(entry->value);
    }
  }
  if (!longer) return;
  auto& changes = text.changes();
  for (const char32_t c : text.chars) {
    changes.push_back({c == 0x130 ? U'i' : c, 0});
    if (c == 0x130) changes.push_back({0x307, 1});
  }
  text.apply_changes();
}

void normalize(AlignedText& text, Form form) {
  const bool compatible = form == Form::nfkc || form == Form::nfkd;
  std::vector<Change>& changes = decompose(text, compatible);
  if (form == Form::nfc || form == Form::nfkc) recompose(changes);
  text.apply_changes();
}

}  // namespace suanli::unicode

#include "formats/safetensors_header.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

/// The element types of the format, the common ones first.
constexpr std::array<SafetensorsType, 22> kTypes = {{
    {"F32", 32, DType::f32},
    {"BF16", 16, DType::bf16},
    {"F16", 16, DType::f16},
    {"I64", 64, DType::i64},
    {"F64", 64, DType::f64},
    {"I32", 32, DType::i32},
    {"I8", 8, DType::i8},
    {"U8", 8, DType::u8},
    {"BOOL", 8, DType::boolean},
    {"I16", 16, std::nullopt},
    {"U16", 16, std::nullopt},
    {"U32", 32, std::nullopt},
    {"U64", 64, std::nullopt},
    {"C64", 64, std::nullopt},
    {"F8_E4M3", 8, std::nullopt},
    {"F8_E5M2", 8, std::nullopt},
    {"F8_E8M0", 8, std::nullopt},
    {"F8_E4M3FNUZ", 8, std::nullopt},
    {"F8_E5M2FNUZ", 8, std::nullopt},
    {"F6_E2M3", 6, std::nullopt},
    {"F6_E3M2", 6, std::nullopt},
    {"F4", 4, std::nullopt},
}};

/// The shortest member of a header: `"":{"dtype":"U8","shape":[],"data_offsets":[0,0]}`.
constexpr size_t kShortestEntry = 49;

/// Length of the well-formed UTF-8 sequence of two to four bytes that starts `text`, or 0 (Unicode 15, table 3-7).
inline size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto trails = [&](size_t count) {
    if (text.size() <= count) return false;
    for (size_t i = 1; i <= count; ++i) {
      if ((byte(i) & 0xC0) != 0x80) return false;
    }
    return true;
  };
  const unsigned lead = byte(0);
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool sound = trails(2) && (lead != 0xE0 || byte(1) >= 0xA0) && (lead != 0xED || byte(1) < 0xA0);
    return sound ? 3 : 0;  // neither overlong nor half of a surrogate pair
  }
  if (lead >= 0xC2 && lead <= 0xDF) return trails(1) ? 2 : 0;
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool sound = trails(3) && (lead != 0xF0 || byte(1) >= 0x90) && (lead != 0xF4 || byte(1) < 0x90);
    return sound ? 4 : 0;  // neither overlong nor beyond U+10FFFF
  }
  return 0;
}

/// True when none of eight bytes ends or complicates a string: quote, backslash, control or non-ASCII.
/// The zero-byte test of "Bit Twiddling Hacks", exact for the question whether there is any.
bool eight_plain_bytes(const char* at) {
  constexpr uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
  uint64_t word = 0;
  std::memcpy(&word, at, 8);
  const auto has_zero = [](uint64_t x) { return (x - ones) & ~x & high; };
  return ((word & high) | has_zero(word ^ ones * '"') | has_zero(word ^ ones * '\\') | has_zero(word & ones * 0xE0)) ==
         0;
}

class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  SafetensorsHeader parse() {
    if (text_.empty() || text_[0] != '{') fail("the header must begin with '{'");
    header_.entries.reserve(std::min(text_.size() / kShortestEntry + 1, kSafetensorsMaxTensors));
    members([&](std::string_view key) { key == "__metadata__" ? metadata() : tensor(key); });
    if (text_.find_first_not_of(' ', at_) != std::string_view::npos) fail("only spaces may follow the header's '}'");
    return std::move(header_);
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw UserError(where_, concat("header byte ", at_, ": ", what, "; the file is damaged or not safetensors"));
  }

  void skip_space() {
    constexpr uint64_t spaces = 0x2020202020202020u;
    while (at_ + 8 <= text_.size() && std::memcmp(text_.data() + at_, &spaces, 8) == 0) at_ += 8;
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  /// Takes `c`, with space around it; false when something else is there.
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(concat("expected '", c, "'"));
  }

  /// An object: `each` reads the value of every key.
  template <class Each>
  void members(Each each) {
    expect('{');
    if (take('}')) return;
    do {
      const std::string_view key = string();
      expect(':');
      skip_space();
      each(key);
    } while (take(','));
    expect('}');
  }

  /// A JSON string: a view into the header or, where it holds escapes, into header_.decoded.
  std::string_view string() {
    if (!take('"')) fail("expected a string");
    const size_t begin = at_;
    while (true) {
      skip_plain_bytes();
      if (at_ >= text_.size()) fail("a string does not end");
      if (text_[at_] == '"') return text_.substr(begin, at_++ - begin);
      if (text_[at_] == '\\') return escaped_string(begin);
      do {
        at_ += plain_character();
        if (at_ - begin > kSafetensorsMaxMetadataBytes) {
          fail(concat("a string is longer than ", kSafetensorsMaxMetadataBytes, " bytes"));
        }
      } while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) >= 0x80);
    }
  }
  void skip_plain_bytes() {
    while (at_ + 8 <= text_.size() && eight_plain_bytes(text_.data() + at_)) at_ += 8;
  }
  /// Length of the unescaped character at the cursor.
  size_t plain_character() const {
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c < 0x20) fail("a string holds a control character");
    const size_t length = c < 0x80 ? 1 : utf8_sequence(text_.substr(at_));
    if (length == 0) fail("a string is not UTF-8");
    return length;
  }
  /// The rest of a string that holds escapes. All decoded strings share one block: they are shorter than their text.
  std::string_view escaped_string(size_t begin) {
    const size_t capacity = std::min(text_.size(), kSafetensorsMaxDecoded) + 4;
    if (!header_.decoded) header_.decoded = std::make_unique_for_overwrite<char[]>(capacity);
    char* const out = header_.decoded.get() + decoded_;
    size_t size = 0;
    const auto append_text = [&](size_t from) {
      const size_t length = at_ - from;
      if (length + 4 > capacity - decoded_ - size) {  // 4: the longest escape, which may follow
        fail(concat("more than ", kSafetensorsMaxDecoded, " bytes in strings with escapes"));
      }
      std::memcpy(out + size, text_.data() + from, length);
      size += length;
    };
    append_text(begin);
    while (at_ < text_.size() && text_[at_] != '"') {
      const size_t from = at_;
      if (text_[at_] == '\\') {
        append_text(from);
        size += escape(out + size);
        continue;
      }
      skip_plain_bytes();
      if (at_ == from) at_ += plain_character();
      append_text(from);
    }
    if (at_ >= text_.size()) fail("a string does not end");
    ++at_;
    decoded_ += size;
    return {out, size};
  }
  /// Decodes the escape at the cursor to UTF-8; returns its length.
  size_t escape(char* out) {
    constexpr std::string_view letters = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
    ++at_;
    if (at_ < text_.size() && text_[at_] == 'u') return unicode_escape(out);
    const size_t letter = at_ < text_.size() ? letters.find(text_[at_]) : std::string_view::npos;
    if (letter == std::string_view::npos) fail("unknown escape in a string");
    ++at_;
    *out = values[letter];
    return 1;
  }
  size_t unicode_escape(char* out) {
    uint32_t point = four_hex_digits();
    if (point == 0) fail("a string holds NUL");
    if (point >= 0xDC00 && point < 0xE000) fail("half of a surrogate pair in a string");
    if (point >= 0xD800 && point < 0xDC00) {
      if (text_.substr(at_, 2) != "\\u") fail("half of a surrogate pair in a string");
      ++at_;
      const uint32_t low = four_hex_digits();
      if (low < 0xDC00 || low >= 0xE000) fail("half of a surrogate pair in a string");
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    const auto trail = [&](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3F)); };
    if (point < 0x80) return out[0] = static_cast<char>(point), 1;
    if (point < 0x800) return out[0] = static_cast<char>(0xC0 | point >> 6), out[1] = trail(0), 2;
    if (point < 0x10000) {
      return out[0] = static_cast<char>(0xE0 | point >> 12), out[1] = trail(6), out[2] = trail(0), 3;
    }
    return out[0] = static_cast<char>(0xF0 | point >> 18), out[1] = trail(12), out[2] = trail(6), out[3] = trail(0), 4;
  }
  /// The digits after the 'u' at the cursor.
  uint32_t four_hex_digits() {
    ++at_;
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      if (c >= '0' && c <= '9') {
        value = value << 4 | static_cast<uint32_t>(c - '0');
      } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
        value = value << 4 | static_cast<uint32_t>((c | 0x20) - 'a' + 10);
      } else {
        fail("expected four hexadecimal digits");
      }
    }
    return value;
  }

  /// An unsigned integer in its one form: digits, no sign, fraction, exponent or leading zero; at most 2^64-1.
  uint64_t number() {
    skip_space();
    const size_t begin = at_;
    uint64_t value = 0;
    for (; at_ < text_.size() && at_ < begin + 20 && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      if (__builtin_mul_overflow(value, uint64_t{10}, &value) ||
          __builtin_add_overflow(value, static_cast<uint64_t>(text_[at_] - '0'), &value)) {
        fail("a number does not fit in 64 bits");
      }
    }
    if (at_ == begin) fail("expected an unsigned integer");
    if (at_ - begin > 1 && text_[begin] == '0') fail("a number has a leading zero");
    return value;
  }

  void metadata() {
    if (has_metadata_) fail("\"__metadata__\" is given twice");
    has_metadata_ = true;
    members([&](std::string_view key) {
      const std::string_view value = string();
      if (header_.metadata.size() == kSafetensorsMaxMetadata) {
        fail(concat("more than ", kSafetensorsMaxMetadata, " metadata keys"));
      }
      metadata_bytes_ += key.size() + value.size();
      if (metadata_bytes_ > kSafetensorsMaxMetadataBytes) {
        fail(concat("more than ", kSafetensorsMaxMetadataBytes, " bytes of metadata"));
      }
      if (!header_.metadata.emplace(key, value).second)
        fail(concat("metadata key ", shown_name(key), " is given twice"));
    });
  }

  void tensor(std::string_view name) {
    if (header_.entries.size() == kSafetensorsMaxTensors)
      fail(concat("more than ", kSafetensorsMaxTensors, " tensors"));
    SafetensorsEntry entry;
    entry.name = name;
    uint64_t elements = 0;
    bool has_shape = false, has_offsets = false;
    const auto once = [&](bool& seen, std::string_view field) {
      if (seen) fail(concat("field ", field, " of tensor ", shown_name(name), " is given twice"));
      seen = true;
    };
    members([&](std::string_view field) {
      if (field == "dtype") {
        bool has_type = entry.type != nullptr;
        once(has_type, field);
        entry.type = type(name);
      } else if (field == "shape") {
        once(has_shape, field);
        elements = shape(entry);
      } else if (field == "data_offsets") {
        once(has_offsets, field);
        offsets(entry);
      } else {
        fail(concat("unknown field ", shown_name(field), " in tensor ", shown_name(name)));
      }
    });
    if (entry.type == nullptr || !has_shape || !has_offsets) {
      fail(concat("tensor ", shown_name(name), " needs \"dtype\", \"shape\" and \"data_offsets\""));
    }
    check_bytes(entry, elements);
    header_.entries.push_back(entry);
  }
  const SafetensorsType* type(std::string_view tensor_name) {
    const std::string_view name = string();
    const auto* found = std::ranges::find(kTypes, name, &SafetensorsType::name);
    if (found == kTypes.end()) fail(concat("unknown dtype ", shown_name(name), " of tensor ", shown_name(tensor_name)));
    return found;
  }
  /// Reads a shape; returns its number of elements. A zero makes it zero, but the other sizes must still multiply to
  /// less than 2^64: a tensor that could not exist is refused even when it is empty.
  uint64_t shape(SafetensorsEntry& entry) {
    expect('[');
    const size_t begin = at_;
    uint64_t product = 1;
    bool empty = false;
    if (!take(']')) {
      int rank = 0;
      do {
        const uint64_t size = number();
        if (++rank > kSafetensorsMaxRank) {
          fail(concat("tensor ", shown_name(entry.name), " has more than ", kSafetensorsMaxRank, " dimensions"));
        }
        if (size == 0) {
          empty = true;
        } else if (__builtin_mul_overflow(product, size, &product)) {
          fail(concat("the shape of tensor ", shown_name(entry.name), " overflows 64 bits"));
        }
      } while (take(','));
      expect(']');
    }
    entry.sizes = text_.substr(begin, at_ - 1 - begin);
    largest_ = product;
    return empty ? 0 : product;
  }
  void offsets(SafetensorsEntry& entry) {
    expect('[');
    entry.begin = number();
    expect(',');
    entry.end = number();
    expect(']');
    if (entry.end < entry.begin) fail(concat("tensor ", shown_name(entry.name), " ends before it begins"));
  }
  /// elements * bits / 8 == end - begin, without overflow. `largest_` is the product of the sizes that are not zero.
  void check_bytes(const SafetensorsEntry& entry, uint64_t elements) const {
    const auto bits = static_cast<uint64_t>(entry.type->bits);
    uint64_t total = 0;
    if (__builtin_mul_overflow(largest_, bits, &total)) {
      fail(concat("the size of tensor ", shown_name(entry.name), " overflows 64 bits"));
    }
    total = elements == 0 ? 0 : total;
    if (total % 8 != 0) fail(concat("tensor ", shown_name(entry.name), " does not end on a whole byte"));
    if (total / 8 != entry.end - entry.begin) {
      fail(concat("tensor ", shown_name(entry.name), " of ", entry.type->name, " needs ", total / 8,
                  " bytes, its offsets give ", entry.end - entry.begin));
    }
  }

  std::string_view text_, where_;
  size_t at_ = 0;
  size_t metadata_bytes_ = 0, decoded_ = 0;  // decoded_: bytes used in header_.decoded
  uint64_t largest_ = 0;
  bool has_metadata_ = false;
  SafetensorsHeader header_;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, std::string_view where) {
  return HeaderParser(text, where).parse();
}

std::string shown_name(std::string_view name) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : name.substr(0, 60)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      out += c;
    } else {
      out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return out + (name.size() > 60 ? "...\"" : "\"");
}

bool is_clean_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const size_t length = lead == 0 ? 0 : lead < 0x80 ? 1 : utf8_sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace suanli

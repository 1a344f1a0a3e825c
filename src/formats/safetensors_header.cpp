#include "formats/safetensors_header.h"

#include <algorithm>
#include <array>

#include "base/concat.h"
#include "base/error.h"
#include "formats/json_scanner.h"

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

class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string_view where) : text_(text), scan_(text, where) {}

  SafetensorsHeader parse() {
    if (text_.empty() || text_[0] != '{') fail("the header must begin with '{'");
    header_.entries.reserve(std::min(text_.size() / kShortestEntry + 1, kSafetensorsMaxTensors));
    scan_.members([&](std::string_view key) { key == "__metadata__" ? metadata() : tensor(key); });
    scan_.skip_blanks();
    if (scan_.at() != text_.size()) fail("only spaces may follow the header's '}'");
    header_.decoded = scan_.take_decoded();
    return std::move(header_);
  }

 private:
  [[noreturn]] void fail(std::string_view what) const { scan_.fail(what); }

  void metadata() {
    if (has_metadata_) fail("\"__metadata__\" is given twice");
    has_metadata_ = true;
    scan_.members([&](std::string_view key) {
      const std::string_view value = scan_.string();
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
    scan_.members([&](std::string_view field) {
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
    const std::string_view name = scan_.string();
    const auto* found = std::ranges::find(kTypes, name, &SafetensorsType::name);
    if (found == kTypes.end()) fail(concat("unknown dtype ", shown_name(name), " of tensor ", shown_name(tensor_name)));
    return found;
  }
  /// Reads a shape; returns its number of elements. A zero makes it zero, but the other sizes must still multiply to
  /// less than 2^64: a tensor that could not exist is refused even when it is empty.
  uint64_t shape(SafetensorsEntry& entry) {
    scan_.expect('[');
    const size_t begin = scan_.at();
    uint64_t product = 1;
    bool empty = false;
    if (!scan_.take(']')) {
      int rank = 0;
      do {
        const uint64_t size = scan_.number();
        if (++rank > kSafetensorsMaxRank) {
          fail(concat("tensor ", shown_name(entry.name), " has more than ", kSafetensorsMaxRank, " dimensions"));
        }
        if (size == 0) {
          empty = true;
        } else if (__builtin_mul_overflow(product, size, &product)) {
          fail(concat("the shape of tensor ", shown_name(entry.name), " overflows 64 bits"));
        }
      } while (scan_.take(','));
      scan_.expect(']');
    }
    entry.sizes = text_.substr(begin, scan_.at() - 1 - begin);
    largest_ = product;
    return empty ? 0 : product;
  }
  void offsets(SafetensorsEntry& entry) {
    scan_.expect('[');
    entry.begin = scan_.number();
    scan_.expect(',');
    entry.end = scan_.number();
    scan_.expect(']');
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

  std::string_view text_;
  JsonScanner scan_;
  size_t metadata_bytes_ = 0;
  uint64_t largest_ = 0;
  bool has_metadata_ = false;
  SafetensorsHeader header_;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, std::string_view where) {
  return HeaderParser(text, where).parse();
}

}  // namespace suanli

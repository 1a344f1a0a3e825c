#include <algorithm>
#include <bit>

#include "base/concat.h"
#include "base/error.h"
#include "formats/json_scanner.h"
#include "formats/output_file.h"
#include "formats/safetensors.h"

namespace suanli {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

constexpr size_t kAlignment = 64;

const char* format_name(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "F32";
    case DType::bf16:
      return "BF16";
    case DType::f16:
      return "F16";
    case DType::f64:
      return "F64";
    case DType::i8:
      return "I8";
    case DType::u8:
      return "U8";
    case DType::i32:
      return "I32";
    case DType::i64:
      return "I64";
    case DType::boolean:
      return "BOOL";
  }
  return "";
}

/// `text` as a JSON string. Throws UserError unless it is UTF-8 without NUL.
std::string json_string(std::string_view text, std::string_view where) {
  if (!is_clean_utf8(text)) throw UserError(where, concat("name ", shown_name(text), " must be UTF-8 without NUL"));
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += concat("\\u00", digits[static_cast<size_t>(c >> 4)], digits[static_cast<size_t>(c & 15)]);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string header_text(std::span<const NamedTensor* const> tensors, const std::map<std::string, std::string>& metadata,
                        std::string_view where) {
  std::string header = "{";
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      header += concat(json_string(key, where), ':', json_string(value, where), ',');
    }
    header.back() = '}';
    header += ',';
  }
  int64_t begin = 0;
  for (const NamedTensor* item : tensors) {
    header +=
        concat(json_string(item->name, where), ":{\"dtype\":\"", format_name(item->tensor.dtype()), "\",\"shape\":[");
    for (int i = 0; i < item->tensor.shape().rank(); ++i) header += concat(i > 0 ? "," : "", item->tensor.shape()[i]);
    const int64_t end = begin + item->tensor.bytes();
    header += concat("],\"data_offsets\":[", begin, ',', end, "]},");
    begin = end;
  }
  if (header.size() > 1) header.pop_back();
  header += '}';
  header.append((kAlignment - (8 + header.size()) % kAlignment) % kAlignment, ' ');
  return header;
}

}  // namespace

void write_safetensors(const std::filesystem::path& file, std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::string where = file.string();
  std::vector<const NamedTensor*> order;
  for (const NamedTensor& item : tensors) {
    if (!item.tensor.defined()) throw UserError(where, concat("tensor ", shown_name(item.name), " is undefined"));
    if (item.name == "__metadata__") throw UserError(where, "\"__metadata__\" cannot name a tensor");
    order.push_back(&item);
  }
  std::ranges::sort(order, [](const NamedTensor* a, const NamedTensor* b) {
    const int64_t left = size_of(a->tensor.dtype()), right = size_of(b->tensor.dtype());
    return left != right ? left > right : a->name < b->name;
  });
  std::vector<std::string_view> names;
  for (const NamedTensor* item : order) names.push_back(item->name);
  std::ranges::sort(names);
  if (const auto twice = std::ranges::adjacent_find(names); twice != names.end()) {
    throw UserError(where, concat("tensor ", shown_name(*twice), " is given twice"));
  }
  size_t metadata_bytes = 0;
  for (const auto& [key, value] : metadata) metadata_bytes += key.size() + value.size();
  const std::string header = header_text(order, metadata, where);
  if (header.size() > kSafetensorsMaxHeader || tensors.size() > kSafetensorsMaxTensors ||
      metadata.size() > kSafetensorsMaxMetadata || metadata_bytes > kSafetensorsMaxMetadataBytes) {
    throw UserError(where, concat(tensors.size(), " tensors with a header of ", header.size(),
                                  " bytes are too many for one file; save in shards"));
  }

  OutputFile out(file);
  std::string length;
  for (int shift = 0; shift < 64; shift += 8) length += static_cast<char>(header.size() >> shift & 0xFF);
  out.write(length + header);
  for (const NamedTensor* item : order) {
    const Tensor host = item->tensor.device() == Device{} ? item->tensor : item->tensor.to(Device{});
    out.write({static_cast<const char*>(host.data()), static_cast<size_t>(host.bytes())});
  }
  out.commit();
}

}  // namespace suanli

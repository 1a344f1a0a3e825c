/// GGUF files for tests, written by hand, field by field.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "formats/gguf.h"

namespace suanli {

inline GgufFile parse_gguf(const std::string& bytes) {
  return GgufFile::parse(std::as_bytes(std::span(bytes.data(), bytes.size())), "test");
}

/// One field after another.
struct GgufBytes {
  std::string text = "GGUF";
  template <class T>
  GgufBytes& number(T value) {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  GgufBytes& string(std::string_view value) {
    number<uint64_t>(value.size());
    text += value;
    return *this;
  }
  GgufBytes& header(uint64_t tensors, uint64_t keys) { return number<uint32_t>(3).number(tensors).number(keys); }
  GgufBytes& key(std::string_view name, std::string_view value) {
    return string(name).number<uint32_t>(8).string(value);
  }
  GgufBytes& tensor(std::string_view name, uint64_t columns, uint32_t type, uint64_t offset) {
    return string(name).number<uint32_t>(1).number(columns).number(type).number(offset);
  }
  std::string with_data(size_t bytes) const {
    std::string out = text;
    out.resize((out.size() + 31) / 32 * 32 + bytes, '\1');
    return out;
  }
};

}  // namespace suanli

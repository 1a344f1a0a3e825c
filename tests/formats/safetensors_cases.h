/// Small safetensors files, sound and hostile, each with the verdict it must get.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace suanli {

struct SafetensorsCase {
  std::string name;
  std::string bytes;
  bool sound = false;
};

/// A file of `header`, its true length before it, and `data_bytes` bytes 0, 1, 2, ... as data.
std::string safetensors_file(std::string_view header, size_t data_bytes);
/// One member of a header: `"name":{"dtype":...,"shape":[...],"data_offsets":[...]}`.
std::string tensor_entry(std::string_view name, std::string_view dtype, std::string_view shape,
                         std::string_view offsets);

/// At least 160 hostile files and the sound ones around them.
std::vector<SafetensorsCase> safetensors_cases();

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace suanli

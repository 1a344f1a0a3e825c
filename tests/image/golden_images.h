/// The reference values of tests/golden/image.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "image/image.h"

namespace suanli {

inline std::filesystem::path golden_folder() { return std::filesystem::path(SUANLI_TESTS_DIR) / "golden/image"; }
inline std::filesystem::path golden_file(const std::string& name) { return golden_folder() / "files" / name; }

inline const Json& golden() {
  static const Json json = read_json(golden_folder() / "golden.json");
  return json;
}

/// The array at `place` = {"offset", "shape"}.
template <class T>
std::vector<T> golden_array(const Json& place) {
  static const std::string values = read_file(golden_folder() / "values.bin");
  size_t count = 1;
  for (const Json& side : place.at("shape")) count *= side.get<size_t>();
  const auto offset = place.at("offset").get<size_t>();
  SUANLI_ASSERT(offset + count * sizeof(T) <= values.size());
  std::vector<T> array(count);
  std::memcpy(array.data(), values.data() + offset, count * sizeof(T));
  return array;
}

template <class T>
Raster<T> golden_raster(const Json& place) {
  const Json& shape = place.at("shape");
  Raster<T> raster(shape.at(0), shape.at(1), shape.size() > 2 ? shape.at(2).get<int64_t>() : 1);
  raster.values = golden_array<T>(place);
  return raster;
}

inline std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

}  // namespace suanli

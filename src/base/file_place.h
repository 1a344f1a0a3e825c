/// Which file shows through mapped memory, for devices that read files themselves.
#pragma once

#include <cstdint>
#include <optional>

namespace suanli {

/// A place in an open file.
struct FilePlace {
  int descriptor;   ///< open for reading
  uint64_t offset;  ///< bytes
};
/// The file behind `memory`, where a MappedFile (base/file.h) holds it; the descriptor is open as long as that lives.
/// Nothing for other memory.
std::optional<FilePlace> place_in_file(const void* memory);

}  // namespace suanli

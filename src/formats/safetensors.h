/// safetensors files: read through a memory map with every rule checked before a byte is trusted, and written whole.
///
/// Format: https://github.com/huggingface/safetensors (8 bytes little-endian header length, a JSON header, the data).
/// One file has one meaning here: beyond the format's own rules we refuse duplicate names, unknown fields, leading
/// space, NUL in strings and anything but the canonical form of a number. Every file accepted here is accepted, with
/// the same tensors, by the reference implementation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace suanli {

/// Limits of a file. The header limit is the format's; the others keep any input under 100 ms and the heap under four
/// times the header plus 1 MiB.
inline constexpr uint64_t kSafetensorsMaxHeader = 100'000'000;
inline constexpr size_t kSafetensorsMaxTensors = size_t{1} << 16;
inline constexpr size_t kSafetensorsMaxMetadata = size_t{1} << 12;
inline constexpr size_t kSafetensorsMaxMetadataBytes = size_t{1} << 24;  // of all metadata, and of any one string
inline constexpr size_t kSafetensorsMaxEscaped = size_t{1} << 23;
inline constexpr int kSafetensorsMaxRank = 16;

/// An element type as the format names it; `dtype` is empty for those that the engine does not compute with.
struct SafetensorsType {
  std::string_view name;
  int bits;
  std::optional<DType> dtype;
};

/// One tensor of a header. The views point into the file; they live as long as any copy of its SafetensorsFile.
struct SafetensorsEntry {
  std::string_view name;
  std::string_view sizes;  ///< the text between the brackets of "shape", such as "2, 3"
  const SafetensorsType* type = nullptr;
  uint64_t begin = 0, end = 0;  ///< bytes, counted from the start of the data

  /// Throws UserError (naming the tensor) when the rank is over 8 or the elements are over 2^62.
  Shape shape() const;
  /// Throws UserError when the engine does not compute with this type.
  DType dtype() const;
};

/// A checked file; copies share it.
class SafetensorsFile {
 public:
  /// Maps and checks `file`. Throws UserError when it is missing or breaks a rule, EnvironmentError when it cannot be
  /// mapped.
  static SafetensorsFile open(const std::filesystem::path& file);
  /// Checks a file held in memory, which must outlive the result and its tensors. `where` names it in errors.
  static SafetensorsFile parse(std::span<const std::byte> whole, std::string_view where);

  /// In the order of the header.
  std::span<const SafetensorsEntry> entries() const;
  /// The entry of that name, or nullptr.
  const SafetensorsEntry* find(std::string_view name) const;
  /// The tensor of that name, without a copy: it borrows the map, keeps it alive and must not be written. Where the
  /// data is not aligned for its dtype it is copied. Throws UserError when there is no such tensor, its type or rank
  /// is not the engine's, or a BOOL byte is neither 0 nor 1.
  Tensor tensor(std::string_view name) const;
  Tensor tensor(const SafetensorsEntry& entry) const;
  const std::map<std::string, std::string>& metadata() const;
  /// Bytes of all tensors.
  uint64_t data_bytes() const;

 private:
  struct Content;
  static SafetensorsFile read(const std::shared_ptr<Content>& content, std::span<const std::byte> whole,
                              std::string_view where);
  explicit SafetensorsFile(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
  std::shared_ptr<const Content> content_;
};

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// Writes `file` whole: under a temporary name beside it, synced, renamed, folder synced; a map of the old file stays
/// valid. Tensors go in order of element size (largest first), then name, so that each is aligned; the data starts at
/// a multiple of 64 bytes. The same tensors give the same bytes.
/// Throws UserError (a name is repeated, reserved, not UTF-8 or holds NUL; too many tensors) or EnvironmentError with
/// the system's reason, the old file standing and the temporary one removed.
void write_safetensors(const std::filesystem::path& file, std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace suanli

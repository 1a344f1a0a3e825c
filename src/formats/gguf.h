/// GGUF files: read through a memory map with every rule checked before a byte is trusted; quantised blocks become f32.
///
/// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian. Beyond its rules
/// we refuse duplicate keys and names, NUL and broken UTF-8 in either, empty tensors, and tensors that overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "tensor/tensor.h"

namespace suanli {

/// Limits of a file: any input then takes bounded time, and memory of at most some dozen times what its metadata has.
inline constexpr uint64_t kGgufMaxTensors = uint64_t{1} << 16;
inline constexpr uint64_t kGgufMaxKeys = uint64_t{1} << 16;
inline constexpr uint64_t kGgufMaxValues = uint64_t{1} << 22;  ///< elements of all arrays of the metadata
inline constexpr int kGgufMaxDepth = 4;                        ///< arrays within arrays

/// How the elements of a tensor are stored: `block` of them in `bytes` bytes.
struct GgufType {
  uint32_t id;
  std::string_view name;
  int64_t block, bytes;
  void (*expand)(const std::byte* blocks, int64_t count, float* out);  ///< `count` blocks to f32
};
/// F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K, Q6_K; null for others.
const GgufType* gguf_type(uint32_t id);

struct GgufEntry {
  Shape shape;  ///< row-major: the reverse of the file's order
  const GgufType* type = nullptr;
  uint64_t begin = 0, bytes = 0;  ///< in the data
};

/// A checked file; copies share it.
class GgufFile {
 public:
  /// Maps and checks `file`. Throws UserError when it is missing or breaks a rule, EnvironmentError when it cannot be
  /// mapped.
  static GgufFile open(const std::filesystem::path& file);
  /// Checks a file held in memory, which must outlive the result. `where` names it in errors.
  static GgufFile parse(std::span<const std::byte> whole, std::string_view where);

  /// The metadata: an object of numbers, booleans, strings and arrays.
  const Json& metadata() const;
  const std::map<std::string, GgufEntry, std::less<>>& entries() const;
  /// The tensor of that name as f32, a copy. Throws UserError when there is none.
  Tensor tensor(std::string_view name) const;
  /// What errors call the file.
  const std::string& where() const;

 private:
  struct Content;
  static GgufFile read(const std::shared_ptr<Content>& content, std::span<const std::byte> whole,
                       std::string_view where);
  explicit GgufFile(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
  std::shared_ptr<const Content> content_;
};

}  // namespace suanli

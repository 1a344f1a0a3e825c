/// Encoded rows kept on disk from one run to the next.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/batch.h"

namespace suanli {

/// A hash of 128 bits over everything that decides how rows are encoded, piece by piece: ("a", "bc") is another key
/// than ("ab", "c").
class CacheKey {
 public:
  void add(std::string_view piece);
  /// 32 hex digits.
  std::string text() const;

 private:
  uint64_t a_ = 1, b_ = 2;
};

/// `folder`/KEY.rows, whole or absent. Other keys are other files; nothing is ever removed.
class EncodedCache {
 public:
  EncodedCache(const std::filesystem::path& folder, const CacheKey& key);

  /// The rows, or nothing where the file is absent, or damaged (with a warning). Throws EnvironmentError.
  std::optional<std::vector<EncodedExample>> read() const;

  /// Makes the folder where needed. Throws EnvironmentError.
  void write(std::span<const EncodedExample> rows) const;

 private:
  std::string key_;
  std::filesystem::path file_;
};

}  // namespace suanli

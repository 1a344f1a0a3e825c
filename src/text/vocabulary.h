/// Tokens and their ids: one flat hash table over one block of text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace suanli {

class Vocabulary {
 public:
  static constexpr int32_t kMissing = -1;

  enum class Added { yes, duplicate_token, duplicate_id };

  /// Room for `tokens` tokens with ids below `ids`.
  void reserve(size_t tokens, size_t ids);
  /// Adds a token under an id below the reserved number of ids.
  Added add(std::string_view token, int32_t id);

  /// The id of a token, or kMissing.
  int32_t find(std::string_view token) const;
  /// The token of an id; empty where there is none (see holds()).
  std::string_view token(int32_t id) const;
  bool holds(int32_t id) const {
    return id >= 0 && static_cast<size_t>(id) < entries_.size() && entries_[static_cast<size_t>(id)].size != kNone;
  }
  /// The number of tokens, and one more than the highest id.
  size_t size() const { return size_; }
  int32_t id_limit() const { return static_cast<int32_t>(entries_.size()); }

  /// The hash of a token, a byte at a time, so that the hashes of all beginnings of a word cost one pass.
  static constexpr uint64_t kHashSeed = 0x51A7B0C3D2E4F596;
  static uint64_t hash_step(uint64_t hash, char byte) {
    return (hash ^ static_cast<unsigned char>(byte)) * 0x9E3779B97F4A7C15;
  }
  /// find() of `prefix` followed by `rest`, whose hash is `hash`.
  int32_t find_hashed(uint64_t hash, std::string_view prefix, std::string_view rest) const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Entry {
    uint32_t begin = 0;
    uint32_t size = kNone;
  };
  struct Slot {
    uint32_t tag = 0;
    int32_t id = kMissing;
  };
  size_t first_slot(uint64_t hash) const { return static_cast<size_t>(hash >> shift_); }

  std::string text_;
  std::vector<Entry> entries_;  // by id
  std::vector<Slot> slots_;     // a power of two, at most half full
  int shift_ = 64;
  size_t size_ = 0;
};

}  // namespace suanli

/// Rows with the same content, and rows with nearly the same, in bounded memory.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>
#include <vector>

namespace suanli {

constexpr uint32_t kNoRow = 0xFFFFFFFF;

/// For each row the first row of the same hash before it, or kNoRow. Rows whose hash is 0 are left out. Takes 4 bytes a
/// row beside `hashes` (8) and the result (4). At most 2^32 - 1 rows.
std::vector<uint32_t> first_with_same_hash(const std::vector<uint64_t>& hashes);

/// MinHash (Broder 1997): the share of equal entries of two signatures estimates the Jaccard similarity s of two sets
/// of shingles. 128 entries of 8 bits each (Li and Koenig 2010): standard error sqrt(s (1 - s) / 128), at most 0.044.
struct MinHash {
  static constexpr size_t kEntries = 128;
  uint8_t entries[kEntries];
};

/// The signature of the shingles of `words` words that follow each other in a normalised text (content.h); a text of
/// fewer words is one shingle.
MinHash min_hash(std::string_view normalized, int64_t words);

/// The estimate of s from two signatures; chance hits of 8 bits (1 in 256) are taken out.
double jaccard(const MinHash& a, const MinHash& b);

/// Finds near duplicates by banding: two rows are compared where one of the bands of their signatures is equal, which
/// for 16 bands of 8 entries (threshold 0.75 and more) has the probability 1 - (1 - s^8)^16: 0.95 at s = 0.8, 0.9999 at
/// 0.9, 0.06 at 0.5; for 32 bands of 4 (below 0.75) 0.9998 at 0.7, 0.87 at 0.5. They are near duplicates where the
/// estimate of s reaches the threshold.
///
/// Memory: 12 bytes a row; the signatures, 128 bytes a row, lie in a temporary file.
class NearDuplicates {
 public:
  /// Throws UserError for a threshold outside [0.5, 1], EnvironmentError where no temporary file can be made.
  explicit NearDuplicates(double threshold);

  /// The signature of the next row; null leaves the row out. Throws EnvironmentError (disk full).
  void add(const MinHash* signature);

  /// For each row an earlier one of which it is a near duplicate, or kNoRow. In a band a row is compared with the eight
  /// first rows that are duplicates of none. Throws EnvironmentError.
  std::vector<uint32_t> find();

 private:
  MinHash read(uint32_t row) const;
  void join_band(std::vector<uint64_t>* keys, std::vector<uint32_t>* first) const;

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  double threshold_;
  std::unique_ptr<std::FILE, Close> file_;
  std::vector<bool> present_;
};

}  // namespace suanli

/// The order of the rows in each epoch, and their cut into batches.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace suanli {

enum class SamplingStrategy {
  sequential,       ///< as they come, every epoch
  random,           ///< a fresh shuffle every epoch
  group_by_length,  ///< batches of like lengths in random order (LengthGroupedSampler of Hugging Face)
};

/// Rows to batches. The order of an epoch is a function of (seed, epoch) and the settings alone, so that a run resumes
/// at any (epoch, batch) without replaying what came before.
class Sampler {
 public:
  /// Shuffles rows 0 to `rows` - 1. `lengths` (tokens a row) is needed for group_by_length alone. drop_last leaves out
  /// a last batch that is not full. Throws UserError for a batch size under 1 or no whole batch.
  Sampler(SamplingStrategy strategy, int64_t rows, int64_t batch_size, uint64_t seed, bool drop_last = false,
          std::vector<int64_t> lengths = {});

  /// From now on batch() gives part `part` of `parts` of each batch: its rows in order, cut so that the parts together
  /// are the batch and differ by one row at most. A part may be empty.
  void take_part(int64_t part, int64_t parts);

  int64_t batches_per_epoch() const;
  int64_t rows() const { return rows_; }

  /// The rows of batch `index` of `epoch`, from zero, or the part of them. Keeps the order of the last epoch asked for;
  /// not for several threads at once.
  std::span<const int64_t> batch(int64_t epoch, int64_t index);

  /// All rows of an epoch in order: batch i is the i-th run of batch_size rows.
  std::vector<int64_t> order(int64_t epoch) const;

 private:
  std::vector<int64_t> grouped(std::vector<int64_t> shuffled, int64_t epoch) const;

  SamplingStrategy strategy_;
  int64_t rows_, batch_size_;
  uint64_t seed_;
  bool drop_last_;
  std::vector<int64_t> lengths_;
  int64_t part_ = 0, parts_ = 1;
  int64_t epoch_ = -1;
  std::vector<int64_t> order_;
};

}  // namespace suanli

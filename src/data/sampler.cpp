#include "data/sampler.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/concat.h"
#include "base/error.h"
#include "data/random_sites.h"
#include "data/shuffle.h"

namespace suanli {
namespace {

constexpr int64_t kWindowBatches = 50;  // batches sorted together, at most
constexpr int64_t kLeastWindows = 4;    // fewer batches a window in small data sets

}  // namespace

Sampler::Sampler(SamplingStrategy strategy, int64_t rows, int64_t batch_size, uint64_t seed, bool drop_last,
                 std::vector<int64_t> lengths)
    : strategy_(strategy),
      rows_(rows),
      batch_size_(batch_size),
      seed_(seed),
      drop_last_(drop_last),
      lengths_(std::move(lengths)) {
  if (batch_size < 1) throw UserError("batch size", concat("expected at least 1, found ", batch_size));
  SUANLI_ASSERT(rows >= 0);
  SUANLI_ASSERT(strategy != SamplingStrategy::group_by_length || static_cast<int64_t>(lengths_.size()) == rows);
  if (batches_per_epoch() == 0) {
    throw UserError("batch size", concat(rows, " rows make no whole batch of ", batch_size,
                                         "; use a smaller batch or dataloader_drop_last=false"));
  }
}

void Sampler::take_part(int64_t part, int64_t parts) {
  SUANLI_ASSERT(part >= 0 && part < parts);
  part_ = part;
  parts_ = parts;
}

int64_t Sampler::batches_per_epoch() const {
  return drop_last_ ? rows_ / batch_size_ : rows_ / batch_size_ + (rows_ % batch_size_ != 0);
}

std::span<const int64_t> Sampler::batch(int64_t epoch, int64_t index) {
  SUANLI_ASSERT(index >= 0 && index < batches_per_epoch());
  if (epoch != epoch_) {
    order_ = order(epoch);
    epoch_ = epoch;
  }
  const int64_t batch = index * batch_size_;
  const int64_t size = std::min(batch_size_, rows_ - batch);
  const int64_t begin = batch + size * part_ / parts_, end = batch + size * (part_ + 1) / parts_;
  return std::span<const int64_t>(order_).subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

std::vector<int64_t> Sampler::order(int64_t epoch) const {
  std::vector<int64_t> rows(static_cast<size_t>(rows_));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  if (strategy_ == SamplingStrategy::sequential) return rows;
  shuffle(&rows, {seed_, static_cast<uint32_t>(epoch), kShuffleSite});
  return strategy_ == SamplingStrategy::random ? rows : grouped(std::move(rows), epoch);
}

/// Sorts windows of the shuffled rows by length, longest first, then shuffles the full batches among themselves. The
/// batch with the longest row of all comes first, so that memory that does not suffice is known at once.
std::vector<int64_t> Sampler::grouped(std::vector<int64_t> shuffled, int64_t epoch) const {
  const auto length = [this](int64_t row) { return lengths_[static_cast<size_t>(row)]; };
  const int64_t batches = std::clamp(rows_ / (batch_size_ * kLeastWindows), int64_t{1}, kWindowBatches);
  const int64_t window = batches * batch_size_;
  for (int64_t begin = 0; begin < rows_; begin += window) {
    const int64_t end = std::min(rows_, begin + window);
    std::sort(shuffled.begin() + begin, shuffled.begin() + end,
              [&](int64_t a, int64_t b) { return length(a) != length(b) ? length(a) > length(b) : a < b; });
  }
  const int64_t full = rows_ / batch_size_;
  if (full == 0) return shuffled;
  std::vector<int64_t> batch_order(static_cast<size_t>(full));
  std::iota(batch_order.begin(), batch_order.end(), int64_t{0});
  shuffle(&batch_order, {seed_, static_cast<uint32_t>(epoch), kWindowSite});
  // Sorted downwards, the longest row of a batch is its first.
  const auto longest = [&](int64_t batch) { return length(shuffled[static_cast<size_t>(batch * batch_size_)]); };
  std::iter_swap(batch_order.begin(), std::max_element(batch_order.begin(), batch_order.end(),
                                                       [&](int64_t a, int64_t b) { return longest(a) < longest(b); }));
  std::vector<int64_t> rows;
  rows.reserve(shuffled.size());
  for (const int64_t batch : batch_order) {
    const auto begin = shuffled.begin() + batch * batch_size_;
    rows.insert(rows.end(), begin, begin + batch_size_);
  }
  rows.insert(rows.end(), shuffled.begin() + full * batch_size_, shuffled.end());
  return rows;
}

}  // namespace suanli

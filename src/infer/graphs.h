/// Inference replayed as device graphs: batches are filled up to a few sizes, and what the host would queue kernel by
/// kernel is recorded once for each size.
#pragma once

#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/sequences.h"

namespace suanli::infer {

/// Sequences on the host, one after another; as in models::PackedSequences.
struct HostBatch {
  std::vector<int32_t> ids, types, positions, offsets = {0};
  void add(std::span<const int32_t> sequence_ids, std::span<const int32_t> sequence_types);
  int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
  int64_t sequences() const { return static_cast<int64_t>(offsets.size()) - 1; }
  int64_t longest() const;
};

/// The sizes of a recorded batch: all that kernels are launched with. A batch fits when sequences of its own, at least
/// one of at least one token each, fill it up.
struct Bucket {
  int64_t tokens = 0, sequences = 0, longest = 0;
  auto operator<=>(const Bucket&) const = default;
};

/// The bucket of a batch: sizes rounded up by at most an eighth or to 16 tokens, the longest sequence to a power of two
/// but not over `limit`, which it does not exceed.
Bucket bucket_of(const HostBatch& batch, int64_t limit);
/// Appends sequences of zeros until the batch has the bucket's sizes.
void fill_up(HostBatch& batch, const Bucket& bucket);
/// A batch of exactly these sizes.
HostBatch example_of(const Bucket& bucket);

/// The graphs of one computation. A bucket is recorded when it is seen the second time; the least recently used of more
/// than kMost goes. Thread compatible.
class BucketGraphs {
 public:
  static constexpr size_t kMost = 32;
  using Forward = std::function<Tensor(const models::PackedSequences&)>;

  /// `limit`: tokens of the longest sequence that the computation takes.
  BucketGraphs(Device device, int64_t limit, Forward forward)
      : device_(device), limit_(limit), forward_(std::move(forward)) {}
  /// forward() of a filled-up batch, with the rows of the batch first; nothing where it is not recorded (yet). The ids
  /// of the batch must be such that forward() accepts them.
  std::optional<Tensor> run(const HostBatch& batch);
  size_t recorded() const;
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Tensor inputs = {}, on_device = {}, output = {};
    std::unique_ptr<DeviceGraph> graph = {};  ///< gone before the memory that it writes to
    bool refused = false;
    int64_t last_use = 0;
  };
  void record(const Bucket& bucket, Entry& entry);

  Device device_;
  int64_t limit_;
  Forward forward_;
  std::map<Bucket, Entry> entries_;
  int64_t uses_ = 0;
};

}  // namespace suanli::infer

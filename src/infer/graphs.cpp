#include "infer/graphs.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/log.h"

namespace suanli::infer {

namespace {

/// The next multiple of an eighth of the largest power of two below, and of `least`.
int64_t round_up(int64_t size, int64_t least) {
  const int64_t power = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(size)));
  const int64_t step = std::max(least, power / 8);
  return (size + step - 1) / step * step;
}

std::string text_of(const Bucket& bucket) {
  return std::to_string(bucket.tokens) + " tokens in " + std::to_string(bucket.sequences) + " sequences of at most " +
         std::to_string(bucket.longest);
}

void add_zeros(HostBatch& batch, int64_t tokens) {
  const std::vector<int32_t> zeros(static_cast<size_t>(tokens));
  batch.add(zeros, zeros);
}

/// Appends `sequences` sequences of zeros that share `tokens` evenly.
void add_evenly(HostBatch& batch, int64_t sequences, int64_t tokens) {
  for (; sequences > 0; --sequences) {
    const int64_t share = (tokens + sequences - 1) / sequences;
    add_zeros(batch, share);
    tokens -= share;
  }
}

}  // namespace

void HostBatch::add(std::span<const int32_t> sequence_ids, std::span<const int32_t> sequence_types) {
  ids.insert(ids.end(), sequence_ids.begin(), sequence_ids.end());
  types.insert(types.end(), sequence_types.begin(), sequence_types.end());
  for (size_t place = 0; place < sequence_ids.size(); ++place) positions.push_back(static_cast<int32_t>(place));
  offsets.push_back(static_cast<int32_t>(ids.size()));
}

int64_t HostBatch::longest() const {
  int64_t longest = 0;
  for (size_t b = 1; b < offsets.size(); ++b) longest = std::max<int64_t>(longest, offsets[b] - offsets[b - 1]);
  return longest;
}

Bucket bucket_of(const HostBatch& batch, int64_t limit) {
  const auto power = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(batch.longest(), 16))));
  Bucket bucket{.sequences = batch.sequences(), .longest = std::max(batch.longest(), std::min(power, limit))};
  int64_t added = 0, missing = 0;
  do {  // one sequence more, until those that were added can hold the tokens that are missing
    bucket.sequences = round_up(bucket.sequences + 1, 1);
    added = bucket.sequences - batch.sequences();
    bucket.tokens = round_up(std::max(batch.tokens() + added, bucket.longest + bucket.sequences - 1), 16);
    missing = bucket.tokens - batch.tokens();
  } while (missing > added * bucket.longest);
  return bucket;
}

void fill_up(HostBatch& batch, const Bucket& bucket) {
  add_evenly(batch, bucket.sequences - batch.sequences(), bucket.tokens - batch.tokens());
}

HostBatch example_of(const Bucket& bucket) {
  HostBatch example;
  add_zeros(example, bucket.longest);
  fill_up(example, bucket);
  return example;
}

std::optional<Tensor> BucketGraphs::run(const HostBatch& batch) {
  const Bucket bucket = bucket_of(batch, limit_);
  const auto found = entries_.find(bucket);
  if (found == entries_.end()) {
    if (entries_.size() == kMost) {
      entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& each) { return each.second.last_use; }));
    }
    entries_[bucket].last_use = ++uses_;
    return std::nullopt;  // seen once: not worth recording
  }
  Entry& entry = found->second;
  entry.last_use = ++uses_;
  if (!entry.graph && !entry.refused) record(bucket, entry);
  if (!entry.graph) return std::nullopt;
  HostBatch filled = batch;
  fill_up(filled, bucket);
  // Beside the work that is queued; only the short copy on the device waits for the last replay to have read its
  // inputs.
  entry.on_device.copy_from(
      models::packed_array(filled.ids, filled.types, filled.positions, filled.offsets).to(device_));
  entry.graph->replay();
  return entry.output.clone();
}

size_t BucketGraphs::recorded() const {
  return static_cast<size_t>(
      std::ranges::count_if(entries_, [](const auto& each) { return each.second.graph != nullptr; }));
}

void BucketGraphs::record(const Bucket& bucket, Entry& entry) {
  const HostBatch example = example_of(bucket);
  entry.inputs = models::packed_array(example.ids, example.types, example.positions, example.offsets);
  entry.on_device = entry.inputs.on(device_);
  try {
    entry.graph =
        backend(device_).capture([&] { entry.output = forward_(models::packed_views(entry.inputs, bucket.tokens)); });
    entry.refused = entry.graph == nullptr;
    if (log_topic("graphs")) log_info("[graph] recorded " + text_of(bucket));
  } catch (const EnvironmentError& error) {
    entry = {.refused = true, .last_use = entry.last_use};
    log_info("[graph] " + text_of(bucket) + " are not recorded and run kernel by kernel: " + error.what());
  }
}

}  // namespace suanli::infer

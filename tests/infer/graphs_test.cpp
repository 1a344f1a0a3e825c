// Buckets of recorded batches: every batch finds room in its bucket, and there are few buckets.
#include "infer/graphs.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "base/random.h"

namespace suanli::infer {
namespace {

constexpr int64_t kLimit = 100;

HostBatch batch_of(const std::vector<int64_t>& lengths) {
  HostBatch batch;
  for (const int64_t length : lengths) {
    const std::vector<int32_t> ones(static_cast<size_t>(length), 1);
    batch.add(ones, ones);
  }
  return batch;
}

void expect_exactly(const HostBatch& batch, const Bucket& bucket) {
  EXPECT_EQ(batch.tokens(), bucket.tokens);
  EXPECT_EQ(batch.sequences(), bucket.sequences);
  EXPECT_LE(batch.longest(), bucket.longest);
  EXPECT_EQ(std::ranges::adjacent_find(batch.offsets), batch.offsets.end()) << "a sequence without tokens";
}

TEST(Bucket, EveryBatchFillsItUpWithSequencesOfItsOwn) {
  RandomGenerator random({5, 0, 0});
  for (int round = 0; round < 400; ++round) {
    std::vector<int64_t> lengths(1 + random.below(round % 2 == 0 ? 4 : 300));
    const uint64_t longest = 1 + random.below(kLimit);
    for (int64_t& length : lengths) length = 1 + static_cast<int64_t>(random.below(longest));
    HostBatch batch = batch_of(lengths);
    const HostBatch original = batch;
    const Bucket bucket = bucket_of(batch, kLimit);
    fill_up(batch, bucket);
    expect_exactly(batch, bucket);
    EXPECT_TRUE(std::equal(original.ids.begin(), original.ids.end(), batch.ids.begin()));
    EXPECT_TRUE(std::equal(original.offsets.begin(), original.offsets.end(), batch.offsets.begin()));
    const HostBatch example = example_of(bucket);
    expect_exactly(example, bucket);
    EXPECT_EQ(example.longest(), bucket.longest) << "kernels must be launched for the longest that may come";
    EXPECT_LE(bucket.longest, kLimit);
  }
}

TEST(Bucket, SizesNearEachOtherShareOne) {
  std::set<Bucket> buckets;
  for (int64_t length = 1; length <= kLimit; ++length) buckets.insert(bucket_of(batch_of({length}), kLimit));
  EXPECT_LE(buckets.size(), 10U) << "of the 100 lengths that one sequence may have";
}

}  // namespace
}  // namespace suanli::infer

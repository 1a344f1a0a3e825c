// Batches made ahead are the batches made on demand; errors arrive in order; stopping never waits for the rest.
#include "data/loader.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "data/masking.h"
#include "expect_error.h"

namespace suanli {
namespace {

constexpr int64_t kRows = 103, kBatch = 8;

EncodedExample fetch(int64_t row, int64_t epoch) {
  EncodedExample e;
  e.row = row;
  e.ids.assign(static_cast<size_t>(3 + row % 11), static_cast<int32_t>(1000 + row));
  e.types.assign(e.ids.size(), 0);
  e.special.assign(e.ids.size(), 0);
  MaskingOptions options;
  options.vocab_size = 2000;
  options.seed = 5;
  mask_tokens(&e, options, epoch);
  return e;
}

Loader loader(DataPosition start, int64_t epochs, int64_t depth, FetchExample source = fetch, int64_t threads = 1) {
  return Loader(Sampler(SamplingStrategy::random, kRows, kBatch, 42), std::move(source), start, epochs, depth, threads);
}

struct Record {
  std::vector<int32_t> ids, labels, offsets;
  std::vector<int64_t> rows;
  bool operator==(const Record&) const = default;
};

std::vector<Record> drain(Loader& from) {
  std::vector<Record> records;
  Batch batch;
  while (from.next(&batch)) records.push_back({batch.ids, batch.token_labels, batch.offsets, batch.rows});
  return records;
}

TEST(Loader, PrefetchingChangesNothing) {
  Loader plain = loader({}, 3, 0);
  const auto expected = drain(plain);
  EXPECT_EQ(expected.size(), 3u * 13u);
  for (const int64_t depth : {1, 2, 7, 100}) {
    Loader ahead = loader({}, 3, depth);
    EXPECT_EQ(drain(ahead), expected) << "depth " << depth;
    EXPECT_EQ(ahead.position(), (DataPosition{3, 0}));
  }
}

TEST(Loader, ThreadsChangeNothingAndShareTheRows) {
  Loader plain = loader({}, 3, 0);
  const auto expected = drain(plain);
  for (const int64_t threads : {2, 3, 8}) {
    for (const int64_t depth : {1, 4}) {
      Loader shared = loader({}, 3, depth, fetch, threads);
      EXPECT_EQ(drain(shared), expected) << threads << " threads, depth " << depth;
    }
  }
  // Four rows of one batch are fetched at a time: each waits until four have begun.
  std::atomic<int64_t> begun = 0;
  Loader together = loader(
      {}, 1, 1,
      [&](int64_t row, int64_t epoch) {
        ++begun;
        while (begun < 4) std::this_thread::yield();
        return fetch(row, epoch);
      },
      4);
  Batch batch;
  EXPECT_TRUE(together.next(&batch));
}

// The first of 64 parts of at most 8 rows has none.
TEST(Loader, AnEmptyPartIsAnEmptyBatch) {
  const auto batches = [](int64_t depth, int64_t threads) {
    Sampler sampler(SamplingStrategy::random, kRows, kBatch, 42);
    sampler.take_part(0, 64);
    Loader part(std::move(sampler), fetch, {}, 2, depth, threads);
    return drain(part);
  };
  const auto expected = batches(0, 0);
  ASSERT_EQ(expected.size(), 2u * 13u);
  for (const Record& record : expected) EXPECT_TRUE(record.rows.empty());
  for (const int64_t depth : {1, 4}) {
    EXPECT_EQ(batches(depth, 1), expected);
    EXPECT_EQ(batches(depth, 3), expected);
  }
}

TEST(Loader, OfSeveralBadRowsTheFirstIsReported) {
  for (int i = 0; i < 20; ++i) {
    Loader failing(
        Sampler(SamplingStrategy::sequential, kRows, kBatch, 42),
        [](int64_t row, int64_t epoch) {
          if (row == 18 || row == 21) throw UserError(std::to_string(row), "bad");
          return fetch(row, epoch);
        },
        {}, 1, 3, 4);
    Batch batch;
    ASSERT_TRUE(failing.next(&batch));
    ASSERT_TRUE(failing.next(&batch));
    EXPECT_EQ(error_of([&] { failing.next(&batch); }), "[18] bad");
  }
}

TEST(Loader, TheWaitIsCounted) {
  const auto slow = [](int64_t row, int64_t epoch) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return fetch(row, epoch);
  };
  Loader waiting = loader({}, 1, 2, slow);
  Batch batch;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(waiting.next(&batch));
  EXPECT_GE(waiting.waited_seconds(), 4 * kBatch * 0.002 * 0.9);
  Loader ready = loader({}, 1, 2);
  ASSERT_TRUE(ready.next(&batch));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const double before = ready.waited_seconds();
  ASSERT_TRUE(ready.next(&batch));
  EXPECT_LT(ready.waited_seconds() - before, 0.1);
}

TEST(Loader, ResumingAnywhereGivesTheRest) {
  Loader whole = loader({}, 2, 4);
  std::vector<DataPosition> positions;
  std::vector<Record> records;
  Batch batch;
  for (;;) {
    positions.push_back(whole.position());
    if (!whole.next(&batch)) break;
    records.push_back({batch.ids, batch.token_labels, batch.offsets, batch.rows});
  }
  for (size_t i = 0; i < positions.size(); i += 5) {
    Loader resumed = loader(positions[i], 2, 4);
    EXPECT_EQ(drain(resumed), std::vector<Record>(records.begin() + static_cast<std::ptrdiff_t>(i), records.end()));
  }
  EXPECT_THROW(loader({0, 13}, 2, 4), UserError);
}

TEST(Loader, AnExceptionArrivesBehindTheBatchesBeforeIt) {
  for (const int64_t depth : {0, 3}) {
    std::atomic<int64_t> calls = 0;
    Loader failing = loader({}, 1, depth, [&](int64_t row, int64_t epoch) {
      if (++calls == 3 * kBatch + 2) throw UserError("data.csv:7", "bad text");
      return fetch(row, epoch);
    });
    Batch batch;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(failing.next(&batch));
    EXPECT_NE(error_of([&] { failing.next(&batch); }).find("data.csv:7"), std::string::npos);
    if (depth > 0) {
      EXPECT_THROW(failing.next(&batch), UserError) << "and again, rather than waiting for ever";
    }
  }
}

TEST(Loader, ItStopsWithBatchesLeftAndWithNoneTaken) {
  for (int i = 0; i < 50; ++i) {
    Loader unused = loader({}, 1000000, 1 + i % 4);
    Batch batch;
    for (int n = 0; n < i % 3; ++n) ASSERT_TRUE(unused.next(&batch));
  }
}

TEST(Loader, NoMoreIsMadeAheadThanAsked) {
  std::atomic<int64_t> calls = 0;
  Loader bounded = loader({}, 100, 2, [&](int64_t row, int64_t epoch) {
    ++calls;
    return fetch(row, epoch);
  });
  Batch batch;
  ASSERT_TRUE(bounded.next(&batch));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  // One taken, two ready, one made and waiting for room.
  EXPECT_LE(calls, 4 * kBatch);
}

TEST(Loader, RowsAreTokenizedInOrderOnAllThreads) {
  const auto examples = encode_rows(1000, [](int64_t row) { return fetch(row, 0); });
  for (int64_t row = 0; row < 1000; ++row) {
    ASSERT_EQ(examples[static_cast<size_t>(row)].row, row);
    ASSERT_EQ(examples[static_cast<size_t>(row)].ids, fetch(row, 0).ids);
  }
  // Whatever thread meets its bad row first, the first bad row is the one reported.
  for (int i = 0; i < 20; ++i) {
    const std::string message = error_of([] {
      encode_rows(1000, [](int64_t row) -> EncodedExample {
        if (row >= 100 && row % 100 == 0) throw UserError(std::to_string(row), "bad");
        return fetch(row, 0);
      });
    });
    EXPECT_EQ(message, "[100] bad");
  }
}

}  // namespace
}  // namespace suanli

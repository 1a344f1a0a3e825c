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

Loader loader(DataPosition start, int64_t epochs, int64_t depth, FetchExample source = fetch) {
  return Loader(Sampler(SamplingStrategy::random, kRows, kBatch, 42), std::move(source), start, epochs, depth);
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

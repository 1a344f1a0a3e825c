// The CPU's memory: alignment, statistics, reuse, the answer to requests that cannot be met, threads.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "base/error.h"
#include "tensor/caching_pool.h"
#include "tensor/cpu_backend.h"
#include "tensor/tensor.h"

namespace suanli {
namespace {

class Allocator : public ::testing::Test {
 protected:
  void SetUp() override {
    memory_.trim();
    memory_.reset_peak();
    before_ = memory_.statistics();
  }
  DeviceBackend& memory_ = cpu_backend();
  MemoryStatistics before_;
};

TEST_F(Allocator, BlocksAreAlignedAndWritable) {
  for (const int64_t bytes : {1, 63, 64, 65, 511, 513, 4096, 100'000, 3 << 20, 40 << 20}) {
    void* block = memory_.allocate(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0U) << bytes;
    std::memset(block, 0x5a, static_cast<size_t>(bytes));
    memory_.release(block, bytes);
  }
}

TEST_F(Allocator, StatisticsFollowEveryTensor) {
  constexpr int64_t kBytes = 1 << 20;
  {
    const Tensor a = Tensor::empty({kBytes}, DType::u8);
    const MemoryStatistics with_a = memory_.statistics();
    EXPECT_GE(with_a.live_bytes - before_.live_bytes, kBytes);
    EXPECT_LE(with_a.live_bytes - before_.live_bytes, kBytes + kBytes / 8);  // a size class wastes at most an eighth
    const Tensor shared = a;
    const Tensor view = a.rows(10, 20);
    EXPECT_EQ(memory_.statistics().live_bytes, with_a.live_bytes) << "views and copies of the value share storage";
  }
  const MemoryStatistics after = memory_.statistics();
  EXPECT_EQ(after.live_bytes, before_.live_bytes);
  EXPECT_GE(after.cached_bytes, kBytes);
  EXPECT_GE(after.peak_bytes - before_.live_bytes, kBytes);
  memory_.reset_peak();
  EXPECT_EQ(memory_.statistics().peak_bytes, memory_.statistics().live_bytes);
}

TEST(CachingPool, SwitchedOffItTakesExactSizesAndGivesThemBackAtOnce) {
  setenv("SUANLI_POOL", "off", 1);
  std::vector<int64_t> taken;
  int given_back = 0;
  const auto take = [&](int64_t bytes) {
    taken.push_back(bytes);
    return std::malloc(static_cast<size_t>(bytes));
  };
  CachingPool pool("test", take, [&](void* memory) {
    ++given_back;
    std::free(memory);
  });
  unsetenv("SUANLI_POOL");
  pool.release(pool.allocate(1001), 1001);
  EXPECT_EQ(taken, std::vector<int64_t>{1001});
  EXPECT_EQ(given_back, 1);
  EXPECT_EQ(pool.statistics().live_bytes, 0);
  EXPECT_EQ(pool.statistics().cached_bytes, 0);
}

TEST_F(Allocator, ReleasedMemoryIsReused) {
  void* first = memory_.allocate(1'000'000);
  memory_.release(first, 1'000'000);
  const int64_t cached = memory_.statistics().cached_bytes;
  void* second = memory_.allocate(1'000'000);
  EXPECT_EQ(first, second);
  EXPECT_LT(memory_.statistics().cached_bytes, cached);
  memory_.release(second, 1'000'000);
}

// Batches of many sizes, one after another: what is held stays near what the largest of them needs.
TEST_F(Allocator, VaryingSizesReuseOneAnothersBlocks) {
  const auto held = [&] { return memory_.statistics().live_bytes + memory_.statistics().cached_bytes; };
  const int64_t before = held();
  constexpr int64_t kLargest = 8'000'000;
  int64_t size = kLargest;
  for (int i = 0; i < 100; ++i) {
    void* block = memory_.allocate(size);
    EXPECT_LE(memory_.statistics().live_bytes - before_.live_bytes, size * 9 / 8 * 3 / 2) << size;
    memory_.release(block, size);
    size = kLargest / 4 + size * 7919 % (kLargest * 3 / 4);
  }
  EXPECT_LE(held() - before, kLargest * 9 / 8 * 3) << "8, 5.3, 3.5 and 2.4 MB serve all of them";
}

TEST_F(Allocator, TrimGivesTheCacheBack) {
  { const Tensor a = Tensor::empty({1 << 22}, DType::f32); }
  EXPECT_GE(memory_.statistics().cached_bytes, int64_t{16} << 20);
  memory_.trim();
  EXPECT_EQ(memory_.statistics().cached_bytes, 0);
}

TEST_F(Allocator, SizeClassesWasteAtMostAnEighth) {
  for (int64_t bytes = 1; bytes < 3'000'000; bytes = bytes * 9 / 8 + 1) {
    const int64_t live = memory_.statistics().live_bytes;
    void* block = memory_.allocate(bytes);
    const int64_t taken = memory_.statistics().live_bytes - live;
    EXPECT_GE(taken, bytes);
    EXPECT_LE(taken, bytes + std::max<int64_t>(bytes / 8, 64)) << bytes;
    memory_.release(block, bytes);
  }
}

// More than any machine has: one clear error, and the allocator works on.
TEST_F(Allocator, ImpossibleRequestsAreErrorsThatNameThem) {
  for (const int64_t bytes : {int64_t{1} << 47, int64_t{1} << 55, int64_t{1} << 62}) {
    try {
      void* block = memory_.allocate(bytes);
      memory_.release(block, bytes);
      ADD_FAILURE() << "allocated " << bytes;
    } catch (const EnvironmentError& error) {
      EXPECT_NE(std::string(error.what()).find(std::to_string(bytes)), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(memory_.statistics().live_bytes, before_.live_bytes);
  const Tensor works = Tensor::zeros({3}, DType::f32);
  EXPECT_EQ(works.host<float>()[2], 0);
}

// A shape may count 2^62 elements; its bytes must not wrap around to a small block.
TEST_F(Allocator, BytesOfHugeShapesDoNotWrapAround) {
  for (const DType dtype : {DType::u8, DType::bf16, DType::f32, DType::f64}) {
    EXPECT_THROW(Tensor::empty({int64_t{1} << 62}, dtype), Error) << name_of(dtype);
    EXPECT_THROW(Tensor::empty({int64_t{1} << 61}, dtype), Error) << name_of(dtype);
    EXPECT_THROW(Tensor::empty({(int64_t{1} << 60) + 1, 2}, dtype), Error) << name_of(dtype);
  }
}

TEST_F(Allocator, ManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 500; ++i) {
        const Tensor a = Tensor::empty({1 + (i * 37 + t) % 3000}, DType::i32);
        for (int32_t& value : a.host<int32_t>()) value = t;
        const Tensor b = a.clone();
        for (const int32_t value : b.host<int32_t>()) ASSERT_EQ(value, t);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(memory_.statistics().live_bytes, before_.live_bytes);
}

}  // namespace
}  // namespace suanli

/// Every part of a loop runs exactly once, whatever else the threads of the program do.
#include "base/parallel.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace suanli {
namespace {

class Parallel : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_thread_count(GetParam()); }
  void TearDown() override { set_thread_count(before_); }
  int before_ = thread_count();
};

TEST_P(Parallel, EachElementRunsOnce) {
  for (const int64_t count : {0, 1, 2, 3, 7, 100, 1001}) {
    std::vector<int> ranges(static_cast<size_t>(count)), tasks(static_cast<size_t>(count));
    parallel_for(count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++ranges[static_cast<size_t>(i)];
    });
    parallel_tasks(count, false, [&](int64_t i) { ++tasks[static_cast<size_t>(i)]; });
    EXPECT_EQ(ranges, std::vector<int>(static_cast<size_t>(count), 1)) << count;
    EXPECT_EQ(tasks, std::vector<int>(static_cast<size_t>(count), 1)) << count;
  }
}

TEST_P(Parallel, AllThreadsAreCalledOnce) {
  std::vector<int> calls(static_cast<size_t>(GetParam()));
  on_all_threads([&](int thread, int threads) {
    EXPECT_EQ(threads, GetParam());
    ++calls[static_cast<size_t>(thread)];
  });
  EXPECT_EQ(calls, std::vector<int>(static_cast<size_t>(GetParam()), 1));
}

TEST_P(Parallel, AnExceptionReachesTheCallerAndTheLoopsGoOn) {
  for (int round = 0; round < 3; ++round) {
    EXPECT_THROW(parallel_tasks(100, false,
                                [](int64_t i) {
                                  if (i == 57) throw std::runtime_error("57");
                                }),
                 std::runtime_error);
  }
  std::atomic<int64_t> sum = 0;
  parallel_tasks(100, false, [&](int64_t i) { sum += i; });
  EXPECT_EQ(sum, 4950);
}

TEST_P(Parallel, ALoopInsideALoopAndBesideOneIsWholeToo) {
  std::atomic<int64_t> sum = 0;
  const auto nested = [&] {
    for (int round = 0; round < 50; ++round) {
      parallel_tasks(8, false, [&](int64_t) { parallel_for(100, 1, [&](int64_t b, int64_t e) { sum += e - b; }); });
    }
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) callers.emplace_back(nested);
  nested();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 4 * 50 * 8 * 100);
}

TEST_P(Parallel, AForkedChildRunsAlone) {
  parallel_tasks(4, false, [](int64_t) {});  // the workers exist
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int64_t> sum = 0;
    parallel_tasks(100, false, [&](int64_t i) { sum += i; });
    _exit(sum == 4950 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

INSTANTIATE_TEST_SUITE_P(Threads, Parallel, testing::Values(1, 2, 5));

}  // namespace
}  // namespace suanli

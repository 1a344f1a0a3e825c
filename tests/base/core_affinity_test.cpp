// Threads of a pool that has all cores do not meet on one of them.
#include "base/core_affinity.h"

#include <gtest/gtest.h>

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <set>
#include <stop_token>
#include <thread>
#include <vector>

namespace suanli {
namespace {

cpu_set_t cores_of(pthread_t thread) {
  cpu_set_t set;
  EXPECT_EQ(pthread_getaffinity_np(thread, sizeof set, &set), 0);
  return set;
}

int first_core(const cpu_set_t& set) {
  int core = 0;
  while (!CPU_ISSET(core, &set)) ++core;
  return core;
}

/// Threads that wait until the test ends.
class Waiting {
 public:
  explicit Waiting(int count) {
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([stop = stop_.get_token()] {
        while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      });
    }
  }
  ~Waiting() {
    stop_.request_stop();
    for (std::thread& thread : threads) thread.join();
  }
  std::vector<std::thread> threads;

 private:
  std::stop_source stop_;
};

TEST(CoreAffinity, EachWorkerHasACoreAndTheCallerOneOfItsOwnWhereverItGoes) {
  const cpu_set_t all = cores_of(pthread_self());
  const int count = CPU_COUNT(&all);
  if (count < 2) return;  // one core leaves nothing to choose
  Waiting waiting(count - 1);
  CoreAffinity affinity(waiting.threads);
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &all)) continue;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(core, &only);
    ASSERT_EQ(sched_setaffinity(0, sizeof only, &only), 0);
    affinity.leave_core_of_caller();
    std::set<int> taken = {core};
    for (std::thread& thread : waiting.threads) {
      const cpu_set_t set = cores_of(thread.native_handle());
      EXPECT_EQ(CPU_COUNT(&set), 1);
      taken.insert(first_core(set));
    }
    EXPECT_EQ(std::ssize(taken), count) << "two threads share a core when the caller is on " << core;
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
}

TEST(CoreAffinity, APoolOfAnotherSizeIsLeftToTheScheduler) {
  const cpu_set_t all = cores_of(pthread_self());
  const int count = CPU_COUNT(&all);
  if (count < 2) return;
  Waiting waiting(count);  // with the caller one more than there are cores
  CoreAffinity affinity(waiting.threads);
  affinity.leave_core_of_caller();
  for (std::thread& thread : waiting.threads) {
    const cpu_set_t set = cores_of(thread.native_handle());
    EXPECT_TRUE(CPU_EQUAL(&set, &all));
  }
}

}  // namespace
}  // namespace suanli

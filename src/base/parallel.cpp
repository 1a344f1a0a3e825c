#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>

#include <chrono>
#include <cmath>
#include <exception>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/core_affinity.h"
#include "base/env.h"
#include "base/error.h"

namespace suanli {

namespace {

thread_local bool inside = false;
std::atomic<bool> is_forked_child = false;  // it has none of the workers

/// Cores of the container's quota: "QUOTA PERIOD" in microseconds, or "max PERIOD".
int quota_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (!(file >> quota >> period) || quota <= 0 || period <= 0) return INT32_MAX;
  return std::max(1, static_cast<int>(std::ceil(quota / period)));
}

int default_threads() {
  if (const auto asked = environment("OMP_NUM_THREADS")) {
    char* end = nullptr;
    const int64_t count = std::strtoll(asked->c_str(), &end, 10);
    if (end == asked->c_str() || *end != '\0' || count < 1 || count > 1024) {
      throw UserError("OMP_NUM_THREADS",
                      "expected a number from 1 to 1024, got \"" + *asked + "\"; correct or unset it");
    }
    return static_cast<int>(count);
  }
  cpu_set_t cores;
  const int allowed = sched_getaffinity(0, sizeof cores, &cores) == 0
                          ? CPU_COUNT(&cores)
                          : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, std::min(allowed, quota_cores()));
}

/// Waits until `done` holds: 50 us awake, which covers the pause between two kernels, then asleep on `value`. A pause
/// lasts 40 clocks on one processor and 140 on another: the clock decides.
template <class T, class Done>
void wait_until(const std::atomic<T>& value, const Done& done) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point asleep = Clock::now() + std::chrono::microseconds(50);
  do {
    for (int spin = 0; spin < 32; ++spin) {
      if (done(value.load(std::memory_order_acquire))) return;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  } while (Clock::now() < asleep);
  for (T seen = value.load(std::memory_order_acquire); !done(seen); seen = value.load(std::memory_order_acquire)) {
    value.wait(seen, std::memory_order_acquire);
  }
}

/// The workers: thread 0 is whoever calls run().
class Workers {
 public:
  explicit Workers(int threads) {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
    affinity_.emplace(workers_);
  }
  ~Workers() {
    call_ = nullptr;
    publish();
    for (std::thread& worker : workers_) is_forked_child ? worker.detach() : worker.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  void run(void (*call)(void*, int, int), void* context) {
    call_ = call;
    context_ = context;
    running_.store(threads() - 1, std::memory_order_relaxed);
    affinity_->leave_core_of_caller();
    publish();
    take_part(0);
    wait_until(running_, [](int left) { return left == 0; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  void publish() {
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
  }
  void take_part(int thread) {
    inside = true;
    try {
      call_(context_, thread, threads());
    } catch (...) {
      const std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
    inside = false;
  }
  void work(int thread) {
    for (uint32_t seen = 0;; ++seen) {
      wait_until(round_, [&](uint32_t round) { return round != seen; });
      if (call_ == nullptr) return;
      take_part(thread);
      if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_one();
    }
  }

  void (*call_)(void*, int, int) = nullptr;
  void* context_ = nullptr;
  std::atomic<uint32_t> round_ = 0;
  std::atomic<int> running_ = 0;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  std::vector<std::thread> workers_;
  std::optional<CoreAffinity> affinity_;
};

struct Pool {
  std::mutex in_use;
  int threads = default_threads();
  std::unique_ptr<Workers> workers;  // made at the first loop
};

Pool& pool() {
  static Pool instance;
  [[maybe_unused]] static const int registered = pthread_atfork(nullptr, nullptr, [] { is_forked_child = true; });
  return instance;
}

}  // namespace

int thread_count() { return pool().threads; }

void set_thread_count(int count) {
  SUANLI_ASSERT(count >= 1);
  Pool& all = pool();
  const std::lock_guard lock(all.in_use);
  all.workers.reset();
  all.threads = count;
}

void on_all_threads(void (*call)(void*, int, int), void* context) {
  if (!inside && !is_forked_child) {
    Pool& all = pool();
    const std::unique_lock lock(all.in_use, std::try_to_lock);
    if (lock.owns_lock() && all.threads > 1) {
      if (!all.workers) all.workers = std::make_unique<Workers>(all.threads);
      all.workers->run(call, context);
      return;
    }
  }
  call(context, 0, 1);
}

}  // namespace suanli

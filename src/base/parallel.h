/// Loops over all threads of the program: one pool of workers that wait briefly awake, then asleep.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace suanli {

/// Threads that a loop uses, the caller's among them: OMP_NUM_THREADS, else the cores that this process may use
/// (affinity and the container's CPU quota).
int thread_count();
/// Changes it, for tests and benchmarks. Not while a loop runs.
void set_thread_count(int count);

/// Calls call(context, thread) once on each of thread_count() threads and returns when all have; an exception of one
/// of them is thrown again here. A loop inside a loop, or beside one, runs on the caller alone, as thread 0 of 1.
void on_all_threads(void (*call)(void* context, int thread, int threads), void* context);

/// Calls f(thread, threads) on each.
template <class F>
void on_all_threads(const F& f) {
  on_all_threads([](void* context, int thread, int threads) { (*static_cast<const F*>(context))(thread, threads); },
                 const_cast<F*>(&f));
}

/// Calls f(begin, end) on consecutive ranges that cover [0, count), one a thread. With `count` <= `grain` (about
/// 20 us of work) the caller does it all. f must give the same result however the range is cut.
template <class F>
void parallel_for(int64_t count, int64_t grain, const F& f) {
  if (count <= 0) return;
  if (count <= grain) {
    f(int64_t{0}, count);
    return;
  }
  on_all_threads([&](int thread, int threads) {
    const int64_t begin = count * thread / threads, end = count * (thread + 1) / threads;
    if (begin < end) f(begin, end);
  });
}

/// Calls f(i) for every task 0 <= i < count of unequal size, each on some thread; `small` keeps them on the caller.
template <class F>
void parallel_tasks(int64_t count, bool small, const F& f) {
  if (small || count <= 1) {
    for (int64_t i = 0; i < count; ++i) f(i);
    return;
  }
  std::atomic<int64_t> next = 0;
  on_all_threads([&](int, int) {
    for (int64_t i = next++; i < count; i = next++) f(i);
  });
}

}  // namespace suanli

#include "base/core_affinity.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>

namespace suanli {

namespace {

/// What cannot be had stays with the scheduler.
void pin(std::thread& thread, int core) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(core, &only);
  pthread_setaffinity_np(thread.native_handle(), sizeof only, &only);
}

std::vector<int> allowed_cores() {
  std::vector<int> cores;
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &allowed)) cores.push_back(core);
  }
  return cores;
}

}  // namespace

CoreAffinity::CoreAffinity(std::span<std::thread> workers) : workers_(workers), cores_(allowed_cores()) {
  const auto own = std::ranges::find(cores_, sched_getcpu());
  if (cores_.size() != workers.size() + 1 || own == cores_.end()) {
    cores_.clear();
    return;
  }
  std::iter_swap(cores_.begin(), own);
  for (size_t i = 0; i < workers.size(); ++i) pin(workers[i], cores_[i + 1]);
}

void CoreAffinity::leave_core_of_caller() {
  if (cores_.empty()) return;
  const int core = sched_getcpu();
  if (core == cores_[0]) return;
  const auto taken = std::ranges::find(cores_, core);
  if (taken == cores_.end()) return;  // the process was moved to other cores
  std::iter_swap(cores_.begin(), taken);
  pin(workers_[static_cast<size_t>(taken - cores_.begin()) - 1], *taken);
}

}  // namespace suanli

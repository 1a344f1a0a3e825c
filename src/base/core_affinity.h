/// One core for each thread of a pool, where the pool has all cores that the process may use.
#pragma once

#include <span>
#include <thread>
#include <vector>

namespace suanli {

/// Schedulers may wake a thread on the core of the one that wakes it, and move it away only after tens of milliseconds
/// (virtual machines whose cores share no cache by their own account): two threads then take turns. Pools of fewer
/// threads than cores are left to the scheduler, since other processes may use the rest.
class CoreAffinity {
 public:
  /// `workers` outlive this. The caller of a loop is one thread more and stays free.
  explicit CoreAffinity(std::span<std::thread> workers);
  /// Moves the worker that has the caller's core, if there is one, to the core that the caller had before.
  void leave_core_of_caller();

 private:
  std::span<std::thread> workers_;
  std::vector<int> cores_;  ///< of the caller and each worker; empty: the scheduler's choice
};

}  // namespace suanli

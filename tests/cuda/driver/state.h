/// What the stand-in of the CUDA driver knows: one device, its memory, streams whose work waits until somebody waits
/// for it.
#pragma once

#include <cuda.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "../ptx/block.h"
#include "../ptx/module.h"

struct CUgraph_st {
  std::vector<std::function<void()>> operations;
};

struct CUgraphExec_st {
  std::vector<std::function<void()>> operations;
};

/// Work is run only when something waits for it: what reads a result without waiting reads the old bytes.
struct CUstream_st {
  std::deque<std::function<void()>> operations;
  CUgraph capture = nullptr;  // where calls go instead while the stream is captured
  bool captures_for_all_threads = false;
};

struct CUevent_st {
  CUstream stream = nullptr;  // where it was last recorded
  uint64_t recorded = 0, done = 0;
  CUgraph capture = nullptr;  // where it was recorded in a captured stream
  std::chrono::steady_clock::time_point time;
};

struct CUfunc_st {
  std::shared_ptr<const ptx::Kernel> kernel;
  int dynamic_shared_limit = 48 << 10;
};

struct CUmod_st {
  std::unique_ptr<ptx::Module> module;
  std::vector<uint64_t> variables;
  std::map<std::string, std::unique_ptr<CUfunc_st>> functions;
};

namespace stand_in {

/// Compute capability 8.0 with the limits of such a device.
inline constexpr int kSharedOfBlock = 163 << 10, kThreadsOfBlock = 1024, kProcessors = 8;

struct State {
  std::recursive_mutex mutex;
  ptx::Memory memory;
  std::set<CUstream> streams;
  CUstream_st default_stream;
  std::map<const std::byte*, size_t> pinned;
  CUresult failed = CUDA_SUCCESS;  // sticky, as after a fault of a real device

  bool is_pinned(const void* pointer, size_t bytes) const;
  bool captures_for_all_threads() const;
  CUstream stream_of(CUstream handle) { return handle ? handle : &default_stream; }
  /// Queues the operation, or adds it to the graph that the stream is captured into.
  void enqueue(CUstream stream, std::function<void()> operation);
  void run_one(CUstream stream);
  void drain(CUstream stream);
  void drain_all();
  void reach(CUevent event, uint64_t recording);
};

State& state();

/// Runs a function of the API: under the lock, with the sticky error first, and with findings as errors.
template <class F>
CUresult guarded(F&& function) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.failed != CUDA_SUCCESS) return s.failed;
  try {
    const CUresult result = function(s);
    return s.failed != CUDA_SUCCESS ? s.failed : result;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return s.failed = CUDA_ERROR_LAUNCH_FAILED;
  }
}

}  // namespace stand_in

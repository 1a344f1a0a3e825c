/// What the stand-in of the CUDA driver knows: one device, its memory, streams whose work waits until somebody waits
/// for it, or runs as early as events let it.
#pragma once

#include <cuda.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "../ptx/block.h"
#include "../ptx/module.h"

/// One recording of an event: the same event may be recorded again, also in another stream, before this one is reached.
struct Recording {
  CUstream stream = nullptr;
  bool done = false;
  std::chrono::steady_clock::time_point time = {};
};

/// A piece of work of a stream, or a wait for a recording of an event.
struct Operation {
  char kind = ' ';  // u host to device, d device to host, m within the device, k kernel, w wait, e event, h host
                    // function, c communication
  std::function<void()> run = {};
  std::shared_ptr<Recording> recording = {};
  std::function<bool()> ready = {};  // of work that another process must do its part of first
};

struct CUgraph_st {
  std::vector<Operation> operations;
};

struct CUgraphExec_st {
  std::vector<Operation> operations;
};

/// Work is run only when something waits for it: what reads a result without waiting reads the old bytes.
struct CUstream_st {
  std::deque<Operation> operations;
  CUgraph capture = nullptr;  // where calls go instead while the stream is captured
  bool captures_for_all_threads = false;
};

struct CUevent_st {
  std::shared_ptr<Recording> last = std::make_shared<Recording>(Recording{nullptr, true});
  CUgraph capture = nullptr;  // where it was recorded in a captured stream
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
  bool early = false;              // before a stream runs anything, the others run as far as events let them
  int queries = 0;                 // of events, since work was queued: the host asks until something is done
  uint64_t graph_launches = 0;
  uint64_t host_waits = 0;  // calls that found work which the host had to wait for
  std::string order;        // kinds of the operations in the order in which they ran

  State();

  bool is_pinned(const void* pointer, size_t bytes) const;
  bool captures_for_all_threads() const;
  CUstream stream_of(CUstream handle) { return handle ? handle : &default_stream; }
  /// Queues the operation, or adds it to the graph that the stream is captured into.
  void enqueue(CUstream stream, char kind, std::function<void()> run);
  void enqueue(CUstream stream, Operation operation);
  void run_one(CUstream stream);
  void drain(CUstream stream);
  void drain_all();
  void reach(const std::shared_ptr<Recording>& recording);
  /// The same, as far as nothing waits for another process.
  void approach(const std::shared_ptr<Recording>& recording);
  bool has_work() const;

 private:
  void run_others(CUstream stream);
  bool running_others_ = false;
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

#include "tensor/cuda/graph.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "tensor/cuda/driver.h"

namespace suanli::cuda {

namespace {

thread_local bool recording = false;

class Graph final : public DeviceGraph {
 public:
  Graph(CUgraphExec work, CUstream stream, std::function<void()> ended)
      : work_(work), stream_(stream), ended_(std::move(ended)) {}
  ~Graph() override {
    driver().cuGraphExecDestroy(work_);
    ended_();
  }
  void replay() override { check(driver().cuGraphLaunch(work_, stream_), "cuGraphLaunch"); }

 private:
  CUgraphExec work_;
  CUstream stream_;
  std::function<void()> ended_;
};

/// Ends the recording of a stream however the scope is left.
class Recording {
 public:
  explicit Recording(CUstream stream) : stream_(stream) {
    // Relaxed: memory may be asked for and code loaded meanwhile; both concern the host alone.
    check(driver().cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED), "cuStreamBeginCapture");
    recording = true;
  }
  ~Recording() {
    if (recording) drop(finish());
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  /// The recorded work, which the caller drops; null where the driver gave up the recording.
  CUgraph finish() {
    recording = false;
    CUgraph graph = nullptr;
    return driver().cuStreamEndCapture(stream_, &graph) == CUDA_SUCCESS ? graph : nullptr;
  }
  static void drop(CUgraph graph) {
    if (graph != nullptr) driver().cuGraphDestroy(graph);
  }

 private:
  CUstream stream_;
};

}  // namespace

bool capturing() { return recording; }

void refuse_while_capturing(const char* what) {
  if (recording) throw EnvironmentError("graph", std::string("cannot record ") + what);
}

std::unique_ptr<DeviceGraph> capture(CUstream stream, const std::function<void()>& work, std::function<void()> ended) {
  refuse_while_capturing("a graph within a graph");
  CUgraph graph = nullptr;
  {
    Recording scope(stream);
    work();
    graph = scope.finish();
  }
  if (graph == nullptr) throw EnvironmentError("graph", "the driver cannot record this work");
  CUgraphExec executable = nullptr;
  const CUresult result = driver().cuGraphInstantiateWithFlags(&executable, graph, 0);
  Recording::drop(graph);
  check(result, "cuGraphInstantiate");
  return std::make_unique<Graph>(executable, stream, std::move(ended));
}

}  // namespace suanli::cuda

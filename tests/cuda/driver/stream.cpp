/// The driver API: streams, events, host functions, capture and graphs.
#include "state.h"

using stand_in::guarded;
using stand_in::State;

namespace {

CUresult synchronize(State& s, CUstream stream) {
  if (s.stream_of(stream)->capture) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (stream ? !stream->operations.empty() : s.has_work()) ++s.host_waits;
  if (stream)
    s.drain(stream);
  else
    s.drain_all();
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

CUresult cuStreamCreate(CUstream* out, unsigned) {
  return guarded([&](State& s) { return *out = *s.streams.insert(new CUstream_st).first, CUDA_SUCCESS; });
}
CUresult cuStreamDestroy_v2(CUstream stream) {
  return guarded([&](State& s) {
    if (s.streams.erase(stream) == 0) return CUDA_ERROR_INVALID_HANDLE;
    s.drain(stream);
    delete stream;
    return CUDA_SUCCESS;
  });
}
CUresult cuStreamSynchronize(CUstream stream) {
  return guarded([&](State& s) { return synchronize(s, stream); });
}
CUresult cuStreamQuery(CUstream stream) {
  return guarded(
      [&](State& s) { return s.stream_of(stream)->operations.empty() ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY; });
}

CUresult cuLaunchHostFunc(CUstream stream, CUhostFn function, void* data) {
  return guarded([&](State& s) { return s.enqueue(stream, 'h', [=] { function(data); }), CUDA_SUCCESS; });
}

CUresult cuEventCreate(CUevent* out, unsigned) { return *out = new CUevent_st, CUDA_SUCCESS; }
CUresult cuEventDestroy_v2(CUevent event) {
  return guarded([&](State& s) {
    s.reach(event->last);
    delete event;
    return CUDA_SUCCESS;
  });
}
CUresult cuEventRecord(CUevent event, CUstream handle) {
  return guarded([&](State& s) {
    const CUstream stream = s.stream_of(handle);
    event->capture = stream->capture;
    if (stream->capture) return CUDA_SUCCESS;
    const auto recording = std::make_shared<Recording>(Recording{stream, false});
    event->last = recording;
    s.enqueue(handle, 'e', [recording] {
      recording->done = true;
      recording->time = std::chrono::steady_clock::now();
    });
    return CUDA_SUCCESS;
  });
}
CUresult cuEventSynchronize(CUevent event) {
  return guarded([&](State& s) {
    if (!event->last->done) ++s.host_waits;
    return s.reach(event->last), CUDA_SUCCESS;
  });
}
CUresult cuEventQuery(CUevent event) {
  // A device gets on while the host asks again and again.
  constexpr int kPatience = 8;
  return guarded([&](State& s) {
    if (!event->last->done && ++s.queries > kPatience) s.approach(event->last);
    return !event->last->done ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
  });
}
CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent begin, CUevent end) {
  return guarded([&](State&) {
    if (!begin->last->done || !end->last->done) return CUDA_ERROR_NOT_READY;
    *milliseconds = std::chrono::duration<float, std::milli>(end->last->time - begin->last->time).count();
    return CUDA_SUCCESS;
  });
}
#undef cuEventElapsedTime
CUresult cuEventElapsedTime(float* milliseconds, CUevent begin, CUevent end) {
  return cuEventElapsedTime_v2(milliseconds, begin, end);
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
  return guarded([&](State& s) {
    if (event->capture) {  // the waiting stream joins the capture
      s.stream_of(stream)->capture = event->capture;
    } else {
      s.enqueue(stream, {.kind = 'w', .recording = event->last});
    }
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode mode) {
  return guarded([&](State& s) {
    if (!stream || stream->capture) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    s.drain(stream);
    stream->capture = new CUgraph_st;
    stream->captures_for_all_threads = mode == CU_STREAM_CAPTURE_MODE_GLOBAL;
    return CUDA_SUCCESS;
  });
}
CUresult cuStreamEndCapture(CUstream stream, CUgraph* out) {
  return guarded([&](State& s) {
    if (!stream || !stream->capture) return CUDA_ERROR_INVALID_VALUE;
    *out = stream->capture;
    for (const CUstream joined : s.streams) {
      if (joined->capture == *out) joined->capture = nullptr;
    }
    return CUDA_SUCCESS;
  });
}
CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus* status) {
  return guarded([&](State& s) {
    *status = s.stream_of(stream)->capture ? CU_STREAM_CAPTURE_STATUS_ACTIVE : CU_STREAM_CAPTURE_STATUS_NONE;
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec* out, CUgraph graph, unsigned long long) {
  return *out = new CUgraphExec_st{graph->operations}, CUDA_SUCCESS;
}
CUresult cuGraphLaunch(CUgraphExec graph, CUstream stream) {
  return guarded([&](State& s) {
    ++s.graph_launches;
    for (const auto& operation : graph->operations) s.enqueue(stream, operation);
    return CUDA_SUCCESS;
  });
}
CUresult cuGraphDestroy(CUgraph graph) { return delete graph, CUDA_SUCCESS; }
CUresult cuGraphExecDestroy(CUgraphExec graph) { return delete graph, CUDA_SUCCESS; }

}  // extern "C"

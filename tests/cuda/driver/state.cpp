#include "state.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace stand_in {

State& state() {
  static State instance;
  return instance;
}

bool State::is_pinned(const void* pointer, size_t bytes) const {
  const auto* at = static_cast<const std::byte*>(pointer);
  auto range = pinned.upper_bound(at);
  if (range == pinned.begin()) return false;
  --range;
  return at + bytes <= range->first + range->second;
}

bool State::captures_for_all_threads() const {
  for (const CUstream stream : streams) {
    if (stream->capture && stream->captures_for_all_threads) return true;
  }
  return false;
}

/// SUANLI_STAND_IN_STREAMS=early runs copies ahead of the kernels that were queued before them, unless an event holds
/// them back: whoever writes too soon is seen. Without it work is as late as can be: whoever reads too soon is seen.
State::State() {
  const char* order_of_streams = std::getenv("SUANLI_STAND_IN_STREAMS");
  early = order_of_streams != nullptr && std::string(order_of_streams) == "early";
}

void State::enqueue(CUstream handle, char kind, std::function<void()> run) {
  enqueue(handle, Operation{.kind = kind, .run = std::move(run)});
}

void State::enqueue(CUstream handle, Operation operation) {
  const CUstream stream = stream_of(handle);
  queries = 0;
  if (stream->capture) {
    stream->capture->operations.push_back(std::move(operation));
    return;
  }
  if (handle == nullptr) drain_all();  // the default stream waits for all and all wait for it
  stream->operations.push_back(std::move(operation));
  if (handle == nullptr) drain(stream);
}

void State::run_one(CUstream stream) {
  if (early && !running_others_) run_others(stream);
  if (stream->operations.empty()) return;
  const Operation operation = std::move(stream->operations.front());
  stream->operations.pop_front();
  if (operation.recording) {
    reach(operation.recording);
  } else {
    while (operation.ready && !operation.ready()) usleep(100);
    operation.run();
  }
  order += operation.kind;
}

void State::run_others(CUstream stream) {
  running_others_ = true;
  for (bool progress = true; progress;) {
    progress = false;
    for (const CUstream other : streams) {
      while (other != stream && !other->operations.empty() &&
             (!other->operations.front().recording || other->operations.front().recording->done) &&
             (!other->operations.front().ready || other->operations.front().ready())) {
        run_one(other);
        progress = true;
      }
    }
  }
  running_others_ = false;
}

void State::drain(CUstream stream) {
  while (!stream->operations.empty()) run_one(stream);
}

void State::drain_all() {
  for (const CUstream stream : streams) drain(stream);
}

void State::reach(const std::shared_ptr<Recording>& recording) {
  while (!recording->done && !recording->stream->operations.empty()) run_one(recording->stream);
}

void State::approach(const std::shared_ptr<Recording>& recording) {
  while (!recording->done && !recording->stream->operations.empty()) {
    const Operation& next = recording->stream->operations.front();
    if (next.ready && !next.ready()) return;
    if (next.recording && !next.recording->done) {
      approach(next.recording);
      if (!next.recording->done) return;
    }
    run_one(recording->stream);
  }
}

bool State::has_work() const {
  return std::ranges::any_of(streams, [](CUstream stream) { return !stream->operations.empty(); });
}

}  // namespace stand_in

extern "C" {

/// For tests: how often the host had to wait for the device, whether streams run early, and what ran in which order
/// (Operation::kind).
uint64_t stand_in_host_waits() { return stand_in::state().host_waits; }
uint64_t stand_in_graph_launches() { return stand_in::state().graph_launches; }
void stand_in_run_early(bool early) { stand_in::state().early = early; }
/// For the stand-ins of other libraries: work of a stream that `run` does once `ready` says so.
void stand_in_enqueue(CUstream stream, bool (*ready)(void*), void (*run)(void*), void* data) {
  stand_in::State& s = stand_in::state();
  const std::lock_guard lock(s.mutex);
  s.enqueue(stream, {.kind = 'c', .run = [=] { run(data); }, .ready = [=] { return ready(data); }});
}
const char* stand_in_order() { return stand_in::state().order.c_str(); }

}  // extern "C"

#include "state.h"

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

void State::enqueue(CUstream handle, std::function<void()> operation) {
  const CUstream stream = stream_of(handle);
  if (stream->capture) {
    stream->capture->operations.push_back(std::move(operation));
  } else if (handle == nullptr) {  // the default stream waits for all and all wait for it
    drain_all();
    operation();
  } else {
    stream->operations.push_back(std::move(operation));
  }
}

void State::run_one(CUstream stream) {
  const std::function<void()> operation = std::move(stream->operations.front());
  stream->operations.pop_front();
  operation();
}

void State::drain(CUstream stream) {
  while (!stream->operations.empty()) run_one(stream);
}

void State::drain_all() {
  for (const CUstream stream : streams) drain(stream);
}

void State::reach(CUevent event, uint64_t recording) {
  while (event->done < recording && event->stream && !event->stream->operations.empty()) run_one(event->stream);
}

}  // namespace stand_in

/// A place in the order of a stream.
#pragma once

#include <utility>

#include "tensor/cuda/driver.h"

namespace suanli::cuda {

/// A driver's event without timing; moves alone.
class Event {
 public:
  Event() { check(driver().cuEventCreate(&event_, CU_EVENT_DISABLE_TIMING), "cuEventCreate"); }
  Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  Event& operator=(Event&& other) noexcept {
    std::swap(event_, other.event_);
    return *this;
  }
  ~Event() {
    if (event_ != nullptr) driver().cuEventDestroy_v2(event_);
  }

  /// Stands from now on for all that `stream` has queued.
  void record(CUstream stream) const { check(driver().cuEventRecord(event_, stream), "cuEventRecord"); }
  /// What `stream` is given from now on runs after the recorded work; the host does not wait.
  void hold_back(CUstream stream) const { check(driver().cuStreamWaitEvent(stream, event_, 0), "cuStreamWaitEvent"); }
  bool passed() const {
    const CUresult result = driver().cuEventQuery(event_);
    if (result != CUDA_ERROR_NOT_READY) check(result, "cuEventQuery");
    return result == CUDA_SUCCESS;
  }
  /// The host waits for the recorded work; at once where nothing was recorded.
  void wait() const { check(driver().cuEventSynchronize(event_), "cuEventSynchronize"); }

 private:
  CUevent event_ = nullptr;
};

}  // namespace suanli::cuda

#include "serve/model_counts.h"

#include <chrono>

namespace suanli::serve {

void ModelCounter::batch(int64_t sequences, int64_t tokens) {
  const std::lock_guard lock(mutex_);
  counts_.sequences += sequences;
  counts_.tokens += tokens;
  ++counts_.batches;
}

void ModelCounter::request(bool done, const infer::Timing& timing, int64_t tokenization_ns) {
  const int64_t total = tokenization_ns + timing.queue_ns + timing.compute_ns;
  const std::lock_guard lock(mutex_);
  if (!done) {
    ++counts_.fail;
    counts_.fail_ns += total;
    return;
  }
  ++counts_.success;
  counts_.success_ns += total;
  counts_.queue_ns += timing.queue_ns;
  counts_.tokenization_ns += tokenization_ns;
  counts_.compute_ns += timing.compute_ns;
  counts_.last_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
}

ModelCounts ModelCounter::read() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace suanli::serve

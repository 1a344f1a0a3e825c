/// How much a model has done since it was loaded.
#pragma once

#include <cstdint>
#include <mutex>

#include "infer/work.h"

namespace suanli::serve {

struct ModelCounts {
  int64_t success = 0, fail = 0, sequences = 0, tokens = 0, batches = 0;
  int64_t success_ns = 0, fail_ns = 0, queue_ns = 0, tokenization_ns = 0, compute_ns = 0;  ///< sums
  int64_t last_ms = 0;                                                                     ///< Unix time
};

/// Thread safe.
class ModelCounter {
 public:
  void batch(int64_t sequences, int64_t tokens);
  /// A request that has ended; `done`: with answers.
  void request(bool done, const infer::Timing& timing, int64_t tokenization_ns);
  ModelCounts read() const;

 private:
  mutable std::mutex mutex_;
  ModelCounts counts_;
};

}  // namespace suanli::serve

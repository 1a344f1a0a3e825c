/// Data parallelism: the gradients that the ranks have of their shares of a batch become those of the whole batch.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "dist/communicator.h"
#include "nn/parameters.h"

namespace suanli::dist {

/// Tensors that are summed by one call: `bytes` of the first of them and of those behind. Gradients appear from the
/// last layer to the first; a small first bucket lets the first sum begin early.
inline constexpr int64_t kFirstBucketBytes = int64_t{1} << 20, kBucketBytes = int64_t{25} << 20;

/// The parameters in reverse order, cut into buckets of at least the bytes above.
std::vector<std::vector<size_t>> buckets_of(std::span<const nn::Parameter> parameters);

/// The sums of one step. A bucket is summed when all its gradients are there and those before it are on their way, so
/// that all ranks sum in one order whatever each of them has. Throws EnvironmentError as Communicator does.
class GradientSum {
 public:
  /// Both outlive it. All ranks have the same parameters.
  GradientSum(Communicator& ranks, std::span<const nn::Parameter> parameters);
  /// Runs `work`, the last call of backward() in the step. Buckets that it has finished are queued meanwhile.
  void during(const std::function<void()>& work);
  /// Queues the rest: then the gradient of each parameter, and `losses`, become their sums over all ranks. A parameter
  /// without a gradient here but on another rank has zeros for it; one that has none on any rank keeps none. The
  /// default stream stands behind the sums.
  void finish(const Tensor& losses);

 private:
  void sum_next();

  Communicator& ranks_;
  std::span<const nn::Parameter> parameters_;
  std::vector<std::vector<size_t>> buckets_;
  size_t next_ = 0;  ///< bucket
};

}  // namespace suanli::dist

/// Data parallelism: the gradients that the ranks have of their shares of a batch become those of the whole batch.
#pragma once

#include <span>

#include "dist/communicator.h"
#include "nn/parameters.h"

namespace suanli::dist {

/// Tensors that are summed by one call: `bytes` of the first of them and of those behind. Gradients appear from the
/// last layer to the first; a small first bucket lets the first sum begin early.
inline constexpr int64_t kFirstBucketBytes = int64_t{1} << 20, kBucketBytes = int64_t{25} << 20;

/// The parameters in reverse order, cut into buckets of at least the bytes above.
std::vector<std::vector<size_t>> buckets_of(std::span<const nn::Parameter> parameters);

/// Queues that the gradient of each parameter, and `losses`, become their sums over all ranks. A parameter without a
/// gradient here but on another rank has zeros for it; one that has none on any rank keeps none. The default stream
/// then stands behind the sums. All ranks must call it with the same parameters. Throws EnvironmentError as
/// Communicator does.
void sum_gradients(Communicator& ranks, std::span<const nn::Parameter> parameters, const Tensor& losses);

}  // namespace suanli::dist

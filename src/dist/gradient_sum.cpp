#include "dist/gradient_sum.h"

#include <set>

#include "autograd/tape.h"

namespace suanli::dist {
namespace {

/// Which parameters have a gradient on any rank.
std::vector<bool> with_gradient_anywhere(Communicator& ranks, std::span<const nn::Parameter> parameters) {
  constexpr size_t kBits = 64;
  const size_t words = parameters.size() / kBits + 1;
  std::vector<int64_t> here(words, 0);
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (gradient_of(parameters[i].value).defined()) here[i / kBits] |= static_cast<int64_t>(uint64_t{1} << i % kBits);
  }
  const std::vector<int64_t> all = ranks.gather(here);
  std::vector<bool> anywhere(parameters.size(), false);
  for (size_t at = 0; at < all.size(); ++at) {
    for (size_t bit = 0; bit < kBits; ++bit) {
      if ((static_cast<uint64_t>(all[at]) >> bit & 1U) != 0) anywhere[at % words * kBits + bit] = true;
    }
  }
  return anywhere;
}

Tensor copy_of(const Tensor& tensor) {
  const Tensor copy = Tensor::empty(tensor.shape(), tensor.dtype(), tensor.device());
  copy.copy_from(tensor);
  return copy;
}

}  // namespace

std::vector<std::vector<size_t>> buckets_of(std::span<const nn::Parameter> parameters) {
  std::vector<std::vector<size_t>> buckets;
  int64_t room = 0;
  for (size_t i = parameters.size(); i-- > 0;) {
    if (room <= 0) {
      room = buckets.empty() ? kFirstBucketBytes : kBucketBytes;
      buckets.emplace_back();
    }
    buckets.back().push_back(i);
    room -= parameters[i].value.bytes();
  }
  return buckets;
}

void sum_gradients(Communicator& ranks, std::span<const nn::Parameter> parameters, const Tensor& losses) {
  const std::vector<bool> anywhere = with_gradient_anywhere(ranks, parameters);
  std::set<const void*> summed;
  for (const std::vector<size_t>& bucket : buckets_of(parameters)) {
    std::vector<Tensor> gradients;
    for (const size_t i : bucket) {
      if (!anywhere[i]) continue;
      const Tensor& value = parameters[i].value;
      Tensor& gradient = gradient_of(value);
      if (!gradient.defined()) gradient = Tensor::zeros(value.shape(), value.dtype(), value.device());
      // A rule may hand the same tensor to two parameters.
      if (!summed.insert(gradient.data()).second) gradient = copy_of(gradient);
      gradients.push_back(gradient);
    }
    ranks.sum(gradients);
  }
  ranks.sum({&losses, 1});
  ranks.join();
}

}  // namespace suanli::dist

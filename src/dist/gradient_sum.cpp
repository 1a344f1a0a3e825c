#include "dist/gradient_sum.h"

#include <unordered_map>

#include "autograd/gradient_hook.h"

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
    for (size_t i = at % words * kBits; i < parameters.size() && i < (at % words + 1) * kBits; ++i) {
      if ((static_cast<uint64_t>(all[at]) >> i % kBits & 1U) != 0) anywhere[i] = true;
    }
  }
  return anywhere;
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

GradientSum::GradientSum(Communicator& ranks, std::span<const nn::Parameter> parameters)
    : ranks_(ranks), parameters_(parameters), buckets_(buckets_of(parameters)) {}

void GradientSum::during(const std::function<void()>& work) {
  std::unordered_map<const TapeEntry*, size_t> bucket_of;
  std::vector<size_t> missing;
  for (const std::vector<size_t>& bucket : buckets_) {
    for (const size_t i : bucket) bucket_of[parameters_[i].value.tape().get()] = missing.size();
    missing.push_back(bucket.size());
  }
  const GradientHook hook([&](const TapeEntry& leaf) {
    const auto bucket = bucket_of.find(&leaf);
    if (bucket == bucket_of.end()) return;
    --missing[bucket->second];
    while (next_ < buckets_.size() && missing[next_] == 0) sum_next();
  });
  work();
}

void GradientSum::finish(const Tensor& losses) {
  const std::vector<bool> anywhere = with_gradient_anywhere(ranks_, parameters_);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& value = parameters_[i].value;
    Tensor& gradient = gradient_of(value);
    if (anywhere[i] && !gradient.defined()) {
      gradient = Tensor::zeros(value.shape(), value.dtype(), value.device());
    }
  }
  while (next_ < buckets_.size()) sum_next();
  ranks_.sum({&losses, 1});
  ranks_.join();
}

void GradientSum::sum_next() {
  std::vector<Tensor> gradients;
  for (const size_t i : buckets_[next_]) {
    Tensor& gradient = gradient_of(parameters_[i].value);
    if (!gradient.defined()) continue;
    // A rule may hand one tensor to several inputs, some of which pass it on.
    if (!gradient.unique()) gradient = gradient.clone();
    gradients.push_back(gradient);
  }
  ranks_.sum(gradients);
  ++next_;
}

}  // namespace suanli::dist

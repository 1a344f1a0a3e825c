#include "train/retrieval_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/tape.h"
#include "base/concat.h"
#include "ops/linear.h"

namespace suanli {

std::vector<int64_t> ranks_of(std::span<const float> queries, std::span<const float> documents, int64_t width,
                              std::span<const int64_t> right) {
  constexpr int64_t kBlock = 256;  // queries whose cosines are in memory at a time
  const NoGradient guard;
  const auto count = static_cast<int64_t>(right.size());
  const auto all = static_cast<int64_t>(documents.size()) / width;
  const Tensor table = Tensor::from(std::vector<float>(documents.begin(), documents.end()), {all, width});
  std::vector<int64_t> ranks;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(count, begin + kBlock);
    const auto part = queries.subspan(static_cast<size_t>(begin * width), static_cast<size_t>((end - begin) * width));
    const Tensor block = Tensor::from(std::vector<float>(part.begin(), part.end()), {end - begin, width});
    const Tensor cosines = ops::linear(block, table, {});
    for (int64_t q = begin; q < end; ++q) {
      const auto row = cosines.host<float>().subspan(static_cast<size_t>((q - begin) * all), static_cast<size_t>(all));
      const float own = row[static_cast<size_t>(right[static_cast<size_t>(q)])];
      const auto above = std::ranges::count_if(row, [own](float cosine) { return cosine > own; });
      const auto equal = std::ranges::count(row, own) - 1;
      ranks.push_back(1 + above + std::max<int64_t>(0, equal) / 2);
    }
  }
  return ranks;
}

Scores retrieval_scores(std::span<const int64_t> ranks) {
  const auto mean = [&](auto value) {
    double sum = 0;
    for (const int64_t rank : ranks) sum += value(rank);
    return ranks.empty() ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(ranks.size());
  };
  Scores scores;
  for (const int64_t k : {1, 5, 10}) {
    scores.emplace_back(concat("recall@", k), mean([k](int64_t rank) { return rank <= k ? 1.0 : 0.0; }));
  }
  scores.emplace_back("mrr@10", mean([](int64_t rank) { return rank <= 10 ? 1.0 / static_cast<double>(rank) : 0.0; }));
  scores.emplace_back(
      "ndcg@10", mean([](int64_t rank) { return rank <= 10 ? 1.0 / std::log2(static_cast<double>(rank) + 1) : 0.0; }));
  return scores;
}

}  // namespace suanli

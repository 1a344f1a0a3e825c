#include "data/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "base/concat.h"
#include "base/error.h"
#include "data/random_sites.h"
#include "data/shuffle.h"

namespace suanli {
namespace {

/// Moves every (1/fraction)-th row from `from` to `to`: systematic sampling, which takes its share from every stretch
/// of `from`, and so from every class when classes lie together.
void take_share(double fraction, std::vector<int64_t>* from, std::vector<int64_t>* to) {
  constexpr double kRounding = 1e-9;  // 0.1 * 30 must count as 3
  const auto taken = [&](size_t rows) { return std::floor(static_cast<double>(rows) * fraction + kRounding); };
  std::vector<int64_t> kept;
  for (size_t i = 0; i < from->size(); ++i) {
    (taken(i + 1) > taken(i) ? *to : kept).push_back((*from)[i]);
  }
  *from = std::move(kept);
}

}  // namespace

Split split_rows(std::span<const int64_t> strata, SplitFractions fractions, uint64_t seed) {
  const auto fraction = [](double value) { return value >= 0.0 && value < 1.0; };
  if (!fraction(fractions.validation) || !fraction(fractions.test) || fractions.validation + fractions.test >= 1.0) {
    throw UserError("split", concat("expected fractions in [0, 1) that leave something to train on, found validation ",
                                    fractions.validation, " and test ", fractions.test));
  }
  std::map<int64_t, std::vector<int64_t>> classes;
  for (size_t i = 0; i < strata.size(); ++i) classes[strata[i]].push_back(static_cast<int64_t>(i));
  Split split;
  uint32_t number = 0;
  for (auto& [label, rows] : classes) {
    shuffle(&rows, {seed, number++, kSplitSite});
    split.train.insert(split.train.end(), rows.begin(), rows.end());
  }
  take_share(fractions.test, &split.train, &split.test);
  take_share(fractions.validation / (1.0 - fractions.test), &split.train, &split.validation);
  for (std::vector<int64_t>* part : {&split.train, &split.validation, &split.test}) {
    std::sort(part->begin(), part->end());
  }
  return split;
}

std::vector<int64_t> strata_of(std::span<const Example> examples) {
  std::vector<int64_t> strata(examples.size(), 0);
  const bool single = std::all_of(examples.begin(), examples.end(),
                                  [](const Example& e) { return e.labels.size() == 1 && e.words.empty(); });
  if (!single) return strata;
  std::map<std::string, int64_t> ids;
  for (const Example& example : examples) ids.emplace(example.labels[0], 0);
  int64_t next = 0;
  for (auto& [name, id] : ids) id = next++;
  for (size_t i = 0; i < examples.size(); ++i) strata[i] = ids[examples[i].labels[0]];
  return strata;
}

}  // namespace suanli

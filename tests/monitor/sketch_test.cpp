/// Sketches: merging gives the sketch of all data, memory has a bound, JSON gives back the same bits.
#include "monitor/sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "expect_error.h"

namespace suanli::monitor {
namespace {

std::vector<double> normal_numbers(size_t count, uint64_t seed) {
  RandomGenerator random({seed, 0, 1});
  std::vector<double> values(count);
  for (double& value : values) value = random.next_normal();
  return values;
}

NumberSketch sketch_of(std::span<const double> values, uint32_t stream) {
  NumberSketch sketch(stream);
  for (const double value : values) sketch.add(value);
  return sketch;
}

/// The largest difference of ranks between a sample and ascending values, as a share, over all values held.
double largest_rank_error(const Sample& sample, const std::vector<double>& ascending) {
  double worst = 0, below = 0;
  for (size_t i = 0; i < sample.values.size(); ++i) {
    below += sample.weights[i];
    if (i + 1 < sample.values.size() && sample.values[i + 1] == sample.values[i]) continue;
    const auto rank = std::upper_bound(ascending.begin(), ascending.end(), sample.values[i]) - ascending.begin();
    worst = std::max(worst, std::abs(below - static_cast<double>(rank)));
  }
  return worst / static_cast<double>(ascending.size());
}

TEST(NumberSketch, IsExactUpTo512Values) {
  const std::vector<double> values = normal_numbers(512, 3);
  const NumberSketch sketch = sketch_of(values, 0);
  std::vector<double> ascending = values;
  std::sort(ascending.begin(), ascending.end());
  EXPECT_EQ(sketch.quantiles().sample().values, ascending);
  EXPECT_EQ(sketch.quantiles().rank_error(), 0);
}

TEST(NumberSketch, MomentsAreThoseOfAllValuesHoweverMerged) {
  std::vector<double> values = normal_numbers(30'000, 5);
  for (double& value : values) value = 1e6 + value;  // the squares of values would lose 12 digits here
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / 3e4;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const std::span<const double> all = values;
  NumberSketch left = sketch_of(all.first(100), 1);
  NumberSketch right = sketch_of(all.subspan(100, 20'000), 2);
  const NumberSketch last = sketch_of(all.subspan(20'100), 3);
  NumberSketch reverse = last;
  reverse.merge(right);
  reverse.merge(left);
  left.merge(right);
  left.merge(last);
  for (const NumberSketch& merged : {left, reverse, sketch_of(values, 4)}) {
    EXPECT_EQ(merged.count(), 30'000);
    EXPECT_EQ(merged.min(), *std::min_element(values.begin(), values.end()));
    EXPECT_EQ(merged.max(), *std::max_element(values.begin(), values.end()));
    // Each step rounds the mean by one unit of 1e6, 2^-33; a random walk of 3e4 of them, five deviations.
    EXPECT_NEAR(merged.mean(), mean, 5 * std::sqrt(3e4) * 0x1p-33);
    EXPECT_NEAR(merged.variance(), squares / (3e4 - 1), 1e-6);
    EXPECT_LE(largest_rank_error(merged.quantiles().sample(),
                                 [&] {
                                   std::vector<double> ascending = values;
                                   std::sort(ascending.begin(), ascending.end());
                                   return ascending;
                                 }()),
              1.5 * merged.quantiles().rank_error());
  }
}

TEST(NumberSketch, RanksStayWithinTheStatedErrorForAnyOrderOfMerging) {
  std::vector<double> ascending = normal_numbers(200'000, 6);
  std::vector<NumberSketch> parts;
  const std::span<const double> all = ascending;
  for (uint32_t part = 0; part < 8; ++part) parts.push_back(sketch_of(all.subspan(part * 25'000, 25'000), part));
  std::vector<NumberSketch> tree = parts;
  for (size_t step = 1; step < 8; step *= 2) {
    for (size_t i = 0; i < 8; i += 2 * step) tree[i].merge(tree[i + step]);
  }
  NumberSketch backwards = parts[7];
  for (int i = 6; i >= 0; --i) backwards.merge(parts[static_cast<size_t>(i)]);
  const NumberSketch whole = sketch_of(all, 9);
  std::sort(ascending.begin(), ascending.end());
  for (const NumberSketch* sketch : std::initializer_list<const NumberSketch*>{&tree[0], &backwards, &whole}) {
    const double stated = sketch->quantiles().rank_error();
    EXPECT_LT(stated, 0.012);
    EXPECT_GT(stated, 0.002);
    // The bound holds for each rank with probability 0.99. Over all ranks at once half as much again.
    EXPECT_LE(largest_rank_error(sketch->quantiles().sample(), ascending), 1.5 * stated);
    EXPECT_EQ(sketch->quantiles().sample().count, 200'000);
  }
}

TEST(NumberSketch, OneRankIsWrongByMoreThanStatedInAtMostOneOfAHundredSketches) {
  std::vector<double> values = normal_numbers(4'000, 7);
  int beyond = 0;
  double bias = 0;
  const auto below = std::count_if(values.begin(), values.end(), [](double value) { return value <= 0.3; });
  for (uint32_t stream = 0; stream < 400; ++stream) {
    const NumberSketch numbers = sketch_of(values, stream);
    const QuantileSketch& sketch = numbers.quantiles();
    const Sample sample = sketch.sample();
    double rank = 0;
    for (size_t i = 0; i < sample.values.size() && sample.values[i] <= 0.3; ++i) rank += sample.weights[i];
    const double error = (rank - static_cast<double>(below)) / 4'000;
    beyond += std::abs(error) > sketch.rank_error();
    bias += error / sketch.rank_error() / 400;
  }
  EXPECT_LE(beyond, 4 + 3 * 2);  // 400 trials of 0.01: three deviations above the mean
  EXPECT_LT(std::abs(bias),
            0.08);  // the bound is 3.26 deviations or more, so that 400 errors average below 5/(20 3.26)
}

TEST(NumberSketch, MemoryIsBoundedOverTenMillionValues) {
  NumberSketch sketch;
  RandomGenerator random({1, 0, 2});
  size_t most = 0;
  for (int i = 0; i < 10'000'000; ++i) {
    sketch.add(static_cast<double>(random.next()) * 0x1p-32);
    most = std::max(most, sketch.quantiles().held());
  }
  EXPECT_LE(most, 1'768U);
  EXPECT_LT(sketch.quantiles().rank_error(), 0.012);
  const Sample sample = sketch.quantiles().sample();
  EXPECT_EQ(sample.count, 1e7);
  double below = 0, worst = 0;
  for (size_t i = 0; i < sample.values.size(); ++i) {
    below += sample.weights[i];
    worst = std::max(worst, std::abs(below / 1e7 - sample.values[i]));
  }
  // Of uniform numbers a value is its own rank, but for 1.95 / sqrt(1e7) (Kolmogorov, p = 0.001).
  EXPECT_LE(worst, 1.5 * sketch.quantiles().rank_error() + 0.0007);
  EXPECT_LT(sketch.to_json().dump().size(), 64U << 10);
}

TEST(NumberSketch, WhatIsNoNumberIsCountedApart) {
  NumberSketch sketch;
  for (const double value : {1.0, std::nan(""), std::numeric_limits<double>::infinity(), -1e200, 3.0})
    sketch.add(value);
  sketch.add_missing();
  EXPECT_EQ(sketch.count(), 2);
  EXPECT_EQ(sketch.not_finite(), 3);
  EXPECT_EQ(sketch.missing(), 1);
  EXPECT_EQ(sketch.mean(), 2);
  EXPECT_EQ(sketch.variance(), 2);
  EXPECT_EQ(sketch.max(), 3);
}

TEST(NumberSketch, GoesThroughJsonAndOnAsIfNothingHadHappened) {
  const std::vector<double> values = normal_numbers(20'000, 8);
  for (const size_t count : {size_t{0}, size_t{1}, size_t{700}, size_t{20'000}}) {
    NumberSketch sketch = sketch_of(std::span(values).first(count), 77);
    sketch.add_missing();
    const std::string text = sketch.to_json().dump();
    NumberSketch read = NumberSketch::from_json(parse_json(text, "test"), "test");
    EXPECT_EQ(read.to_json().dump(), text);
    for (const double value : values) sketch.add(value), read.add(value);
    EXPECT_EQ(read.to_json(), sketch.to_json());
  }
}

/// `change` applied to the JSON of a good sketch must be refused.
template <class Sketch, class Change>
void expect_refused(const Sketch& sketch, Change change) {
  Json json = sketch.to_json();
  change(json);
  EXPECT_THROW(Sketch::from_json(json, "profile.json"), UserError) << json.dump().substr(0, 400);
}

template <class Sketch>
void expect_each_key_matters(const Sketch& sketch) {
  const Json good = sketch.to_json();
  for (const auto& [key, value] : good.items()) {
    expect_refused(sketch, [&k = key](Json& json) { json.erase(k); });
    expect_refused(sketch, [&k = key](Json& json) { json[k] = "text"; });
    expect_refused(sketch, [&k = key](Json& json) { json[k] = Json::array({"text"}); });
    if (key != "min" && key != "mean") expect_refused(sketch, [&k = key](Json& json) { json[k] = -1e9; });
  }
}

TEST(NumberSketch, RefusesWhatItCannotHaveWritten) {
  const NumberSketch sketch = sketch_of(normal_numbers(3'000, 9), 1);
  expect_refused(sketch, [](Json& json) { json = Json::array(); });
  expect_each_key_matters(sketch);
  const Json good = sketch.to_json();
  for (const auto& [key, value] : good["quantiles"].items()) {
    expect_refused(sketch, [&k = key](Json& json) { json["quantiles"].erase(k); });
    expect_refused(sketch, [&k = key](Json& json) { json["quantiles"][k] = -1; });
  }
  expect_refused(sketch, [](Json& json) { json["count"] = 3'001; });
  expect_refused(sketch, [](Json& json) { json["missing"] = -1; });
  expect_refused(sketch, [](Json& json) { json["missing"] = uint64_t{1} << 60; });
  expect_refused(sketch, [](Json& json) { json["min"] = 0.0; });
  expect_refused(sketch, [](Json& json) { json["max"] = 1e300; });
  expect_refused(sketch, [](Json& json) { json["quantiles"]["levels"][0] = Json::array({"a"}); });
  expect_refused(sketch, [](Json& json) { json["quantiles"]["levels"][1] = std::vector<double>(100'000, 0.0); });
  expect_refused(sketch, [](Json& json) { json["quantiles"]["levels"] = std::vector<std::vector<double>>(60); });
}

TEST(CategorySketch, IsExactForFewValuesAndOtherwiseOffByAtMostTheStatedBound) {
  CategorySketch exact, small(8), twin(8);
  RandomGenerator random({4, 0, 3});
  std::map<std::string, int64_t, std::less<>> truth;
  for (int i = 0; i < 100'000; ++i) {
    // Geometric: value k comes with probability 2^-(k+1), in all about 17 values.
    const std::string name = std::to_string(std::countl_zero(random.next()));
    ++truth[name];
    exact.add(name);
    (i % 3 == 0 ? twin : small).add(name);
  }
  EXPECT_EQ(exact.counts(), truth);
  EXPECT_EQ(exact.other(), 0);
  CategorySketch other_way = twin;
  other_way.merge(small);
  small.merge(twin);
  for (const CategorySketch& sketch : {small, other_way}) {
    EXPECT_EQ(sketch.count(), 100'000);
    EXPECT_LE(sketch.counts().size(), 8U);
    EXPECT_GT(sketch.other(), 0);
    for (const auto& [name, count] : truth) {
      const auto at = sketch.counts().find(name);
      const int64_t held = at == sketch.counts().end() ? 0 : at->second;
      EXPECT_LE(held, count);
      EXPECT_GE(held, count - sketch.other() / 9) << name;
    }
  }
}

TEST(CategorySketch, MemoryIsBoundedWhateverTheNamesAre) {
  CategorySketch sketch;
  const std::string end(1'000, 'x');
  for (int i = 0; i < 300'000; ++i) sketch.add(std::to_string(i) + end);
  EXPECT_LE(sketch.counts().size(), 256U);
  EXPECT_LT(sketch.to_json().dump().size(), 48U << 10);
  EXPECT_EQ(sketch.count(), 300'000);
}

TEST(CategorySketch, NamesAreCutWhereTheyAreTooLongOrNotUtf8) {
  CategorySketch sketch;
  sketch.add("good\xFF bad");
  std::string long_name(127, 'a');
  sketch.add(long_name + "\u00e9");  // its two bytes do not fit
  ASSERT_EQ(sketch.counts().size(), 2U);
  EXPECT_EQ(sketch.counts().begin()->first, long_name);
  EXPECT_EQ(sketch.counts().rbegin()->first, "good");
  EXPECT_NO_THROW(sketch.to_json().dump());
}

TEST(CategorySketch, GoesThroughJsonAndRefusesOtherJson) {
  CategorySketch sketch(3);
  for (const char* name : {"a", "b", "\"quoted\"", "a", "d", "a", "\u4e2d", "a"}) sketch.add(name);
  sketch.add_missing();
  const Json json = parse_json(sketch.to_json().dump(), "test");
  EXPECT_EQ(CategorySketch::from_json(json, "test").to_json(), json);
  EXPECT_GT(sketch.other(), 0);
  expect_each_key_matters(sketch);
  expect_refused(sketch, [](Json& bad) { bad["counts"] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}}; });
  expect_refused(sketch, [](Json& bad) { bad["counts"] = {{"a", 100}}; });
  expect_refused(sketch, [](Json& bad) { bad["counts"] = {{"a", 1.5}}; });
  expect_refused(sketch, [](Json& bad) { bad["counts"] = {{std::string(200, 'a'), 1}}; });
  expect_refused(sketch, [](Json& bad) { bad["capacity"] = 1 << 20; });
}

VectorSketch vectors_of(int first, int last, uint32_t stream, size_t capacity = 64) {
  VectorSketch sketch(stream, capacity);
  for (int i = first; i < last; ++i) {
    const auto value = static_cast<float>(i);
    sketch.add(std::vector<float>{value, -0.1F * value, 1});
  }
  return sketch;
}

TEST(VectorSketch, TheSampleOfAMergeDoesNotDependOnItsOrder) {
  const VectorSketch a = vectors_of(0, 500, 1), b = vectors_of(500, 600, 2), c = vectors_of(600, 2'000, 3);
  VectorSketch forwards = a, backwards = c;
  forwards.merge(b), forwards.merge(c);
  backwards.merge(b), backwards.merge(a);
  EXPECT_EQ(forwards.vectors(), backwards.vectors());
  EXPECT_EQ(forwards.vectors().size(), 64U);
  EXPECT_EQ(forwards.count(), 2'000);
  EXPECT_NEAR(forwards.mean()[0], 999.5, 1e-9);
  EXPECT_NEAR(backwards.mean()[1], -99.95, 1e-5);  // -0.1F is off by 1.5e-9 of itself
}

TEST(VectorSketch, EachVectorIsAsLikelyToStay) {
  // 200 samples of 16 of 64 values, each merged from two sketches: each value stays about 50 times.
  std::vector<int> stayed(64);
  for (uint32_t trial = 0; trial < 200; ++trial) {
    VectorSketch sketch = vectors_of(0, 40, 2 * trial, 16);
    sketch.merge(vectors_of(40, 64, 2 * trial + 1, 16));
    for (const std::vector<float>& vector : sketch.vectors()) ++stayed[static_cast<size_t>(vector[0])];
  }
  double chi_square = 0;
  for (const int times : stayed) chi_square += (times - 50.0) * (times - 50.0) / (50.0 * 0.75);
  EXPECT_LT(chi_square, 63 + 4 * std::sqrt(2 * 63.0));  // mean 63, four deviations
}

TEST(VectorSketch, RefusesOtherWidthsAndCountsWhatIsNotFinite) {
  VectorSketch sketch = vectors_of(0, 3, 1);
  EXPECT_NE(error_of([&] { sketch.add(std::vector<float>{1}); }).find("expected vectors of 3 values, got 1"),
            std::string::npos);
  VectorSketch narrow;
  narrow.add(std::vector<float>{1});
  EXPECT_THROW(sketch.merge(narrow), UserError);
  sketch.add(std::vector<float>{1, std::numeric_limits<float>::quiet_NaN(), 1});
  EXPECT_EQ(sketch.not_finite(), 1);
  EXPECT_EQ(sketch.count(), 3);
}

TEST(VectorSketch, GoesThroughJsonAndRefusesOtherJson) {
  for (const int count : {0, 5, 500}) {
    VectorSketch sketch = vectors_of(0, count, 6);
    const std::string text = sketch.to_json().dump();
    VectorSketch read = VectorSketch::from_json(parse_json(text, "test"), "test");
    EXPECT_EQ(read.to_json().dump(), text);
    EXPECT_EQ(read.vectors(), sketch.vectors());
    sketch.merge(vectors_of(0, 90, 7)), read.merge(vectors_of(0, 90, 7));
    EXPECT_EQ(read.vectors(), sketch.vectors());
  }
  const VectorSketch sketch = vectors_of(0, 100, 6);
  expect_each_key_matters(sketch);
  expect_refused(sketch, [](Json& bad) { bad["kept"].erase(0); });
  expect_refused(sketch, [](Json& bad) { bad["kept"][0]["values"] = {1, 2}; });
  expect_refused(sketch, [](Json& bad) { bad["kept"][0]["values"] = {1, 2, 1e39}; });
  expect_refused(sketch, [](Json& bad) { bad["kept"][0] = 1; });
  expect_refused(sketch, [](Json& bad) { bad["capacity"] = 1e6; });
}

}  // namespace
}  // namespace suanli::monitor

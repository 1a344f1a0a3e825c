// Focal loss: values and gradients by class weights and gamma, sure rows, NaN.
#include "kernels/focal_loss.h"

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::FocalLossBackward;
using kernels::FocalLossForward;

constexpr double kScale = 0.25, kCotangent = 1.7;

struct FocalCase {
  int64_t rows, classes;
  double gamma;
  bool weighted;
  double size = 3;  ///< of the logits
};
const std::vector<FocalCase> kCases = {
    {0, 3, 2, true},      {1, 1, 2, false}, {3, 2, 0, false},   {7, 2, 0, true},      {33, 2, 2, true},
    {5000, 2, 1.5, true}, {9, 5, 2, false}, {130, 17, 1, true}, {16, 2, 2, true, 60}, {16, 3, 0.5, false, 60}};

std::string name_of_case(const FocalCase& c) {
  return std::to_string(c.rows) + "x" + std::to_string(c.classes) + " gamma " + std::to_string(c.gamma) +
         (c.weighted ? " weighted" : "");
}

Values labels(const FocalCase& c) {
  RandomGenerator random({.seed = 7, .step = 0, .site = 70});
  Values out;
  for (int64_t t = 0; t < c.rows; ++t) {
    out.push_back(static_cast<double>(random.below(static_cast<uint64_t>(c.classes))));
  }
  return out;
}

Array class_weights(const FocalCase& c) {
  if (!c.weighted) return Array::absent("weights");
  Values values;
  for (int64_t v = 0; v < c.classes; ++v) values.push_back(0.5 + 0.25 * static_cast<double>(v % 5));
  return Array::input("weights", values, Kind::statistic);
}
constexpr double kLargestWeight = 1.5;

/// |d f / d log p| of f = (1-p)^g log p, and of its own slope, are below these for g = 0 and g from 0.5 to 2: the terms
/// are p |log p|^k (1-p)^(g-1), which stay finite where 1-p vanishes because log p does with it.
constexpr double kSlope = 2, kSecondSlope = 6;

double log_p_error(double lse, double x, int64_t classes, DType dtype) {
  return function_error(sum_dtype(dtype), std::abs(lse) + std::abs(x)) + sum_error(sum_dtype(dtype), classes, 2);
}

Problem<FocalLossForward> forward_problem(const FocalCase& c) {
  const Values target = labels(c);
  const auto row_error = [=](size_t t, const std::vector<Values>& v, DType dtype) {
    const double most = largest(v[0].data() + static_cast<int64_t>(t) * c.classes, c.classes);
    return log_p_error(v[3][t], most, c.classes, dtype);
  };
  const auto loss_bound = [=](size_t, const std::vector<Values>& v, DType dtype) {
    double total = 0;
    for (size_t t = 0; t < target.size(); ++t) {
      const double x = v[0][t * static_cast<size_t>(c.classes) + static_cast<size_t>(target[t])];
      total += kSlope * 2 * row_error(t, v, dtype) + 3 * function_error(sum_dtype(dtype), v[3][t] - x);
    }
    return kScale * kLargestWeight * total;
  };
  return {name_of_case(c),
          {Array::input("logits", normal(c.rows * c.classes, 71, c.size)), Array::input("labels", target, Kind::index),
           class_weights(c), Array::output("lse", c.rows, row_error, Kind::statistic),
           Array::output("loss", 1, loss_bound, Kind::statistic)},
          [=](DType dtype, const Pointers& p) {
            return FocalLossForward{
                p[0], static_cast<const int32_t*>(p[1]), p[2], p[3], p[4], c.rows, c.classes, c.gamma, kScale, dtype};
          }};
}

// Arrays: 0 logits, 1 labels, 2 weights, 3 lse, 4 dloss, 5 dlogits.
Problem<FocalLossBackward> backward_problem(const FocalCase& c, bool in_place) {
  const Values logits = normal(c.rows * c.classes, 72, c.size), target = labels(c);
  Values lse;
  for (int64_t t = 0; t < c.rows; ++t) {
    // A little above the true one: with the logits rounded to 16 bits, p still must not pass 1.
    double total = 0.05;
    for (int64_t v = 0; v < c.classes; ++v) total += std::exp(logits[static_cast<size_t>(t * c.classes + v)]);
    lse.push_back(std::log(total) + 0.01 * c.size);
  }
  const auto bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
    const size_t t = i / static_cast<size_t>(c.classes);
    const double at_label = v[0][t * static_cast<size_t>(c.classes) + static_cast<size_t>(target[t])];
    const double of_log_p = log_p_error(v[3][t], at_label, 1, dtype), of_p = log_p_error(v[3][t], v[0][i], 1, dtype);
    return kCotangent * kScale * kLargestWeight *
           (kSecondSlope * of_log_p + kSlope * of_p + 4 * function_error(sum_dtype(dtype), kSlope));
  };
  auto dlogits = Array::output("dlogits", c.rows * c.classes, bound);
  return {name_of_case(c) + (in_place ? " in place" : ""),
          {Array::input("logits", logits), Array::input("labels", target, Kind::index), class_weights(c),
           Array::input("lse", lse, Kind::statistic), Array::input("dloss", {kCotangent}, Kind::statistic),
           in_place ? std::move(dlogits).over(0) : std::move(dlogits)},
          [=](DType dtype, const Pointers& p) {
            return FocalLossBackward{p[0],    p[3],   p[4],   static_cast<const int32_t*>(p[1]),
                                     p[2],    p[5],   c.rows, c.classes,
                                     c.gamma, kScale, dtype};
          }};
}

TEST(FocalLoss, EveryShape) {
  for (const FocalCase& c : kCases) {
    check_all(kernels::focal_loss_forward, forward_problem(c));
    for (const bool in_place : {false, true}) check_all(kernels::focal_loss_backward, backward_problem(c, in_place));
  }
}

// A row whose label has all the probability: 1 - p is 0, and 0^(gamma - 1) must not become NaN.
TEST(FocalLoss, SureRowsHaveNoGradient) {
  for (const double gamma : {0.0, 0.5, 2.0}) {
    auto problem = backward_problem({4, 2, gamma, false}, false);
    for (size_t t = 0; t < 4; ++t) {
      const double label = problem.arrays[1].values[t];
      problem.arrays[0].values[2 * t] = label == 0 ? 300 : -300;
      problem.arrays[0].values[2 * t + 1] = label == 1 ? 300 : -300;
      problem.arrays[3].values[t] = 300;
    }
    check_all(kernels::focal_loss_backward, problem);
  }
}

TEST(FocalLoss, NanLogitSpoilsTheLoss) {
  auto forward = forward_problem({6, 3, 2, true});
  forward.arrays[0].values[7] = std::numeric_limits<double>::quiet_NaN();
  check_all(kernels::focal_loss_forward, forward);
}

}  // namespace
}  // namespace suanli::testing

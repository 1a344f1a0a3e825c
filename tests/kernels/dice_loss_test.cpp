// Soft Dice loss: values and gradients by pictures, pixels and classes, ignored pixels, sure pixels, NaN.
#include "kernels/dice_loss.h"

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::DiceLossBackward;
using kernels::DiceLossForward;

constexpr double kScale = 0.25, kCotangent = 1.7, kSmooth = 1;
constexpr int32_t kIgnore = -100;

struct DiceCase {
  int64_t pictures, pixels, classes;
  double size = 3;  ///< of the logits
  int64_t rows() const { return pictures * pixels; }
};
const std::vector<DiceCase> kCases = {{1, 1, 1},  {1, 7, 2},    {3, 5, 3},   {2, 64, 5},
                                      {9, 16, 2}, {2, 1500, 4}, {1, 33, 17}, {2, 16, 3, 60}};

std::string name_of_case(const DiceCase& c) {
  return std::to_string(c.pictures) + "x" + std::to_string(c.pixels) + "x" + std::to_string(c.classes);
}

Values labels(const DiceCase& c) {
  RandomGenerator random({.seed = 7, .step = 0, .site = 80});
  Values out;
  for (int64_t i = 0; i < c.rows(); ++i) {
    const auto label = static_cast<double>(random.below(static_cast<uint64_t>(c.classes)));
    out.push_back(i % 5 == 3 ? kIgnore : label);
  }
  return out;
}

/// Relative error of p = exp(x - lse), which is at most 1.
double probability_error(const DiceCase& c, const std::vector<Values>& v, size_t lse, DType dtype) {
  double most = 0;
  for (const double x : v[0]) most = std::max(most, std::abs(x));
  for (const double x : v[lse]) most = std::max(most, std::abs(x));
  return function_error(sum_dtype(dtype), 1 + 2 * most) + sum_error(sum_dtype(dtype), c.classes, 2);
}

// Arrays: 0 logits, 1 labels, 2 lse, 3 all, 4 own, 5 loss.
Problem<DiceLossForward> forward_problem(const DiceCase& c) {
  const auto lse_bound = [=](size_t, const std::vector<Values>& v, DType dtype) {
    return probability_error(c, v, 2, dtype);
  };
  // Sums of positive p keep the relative error of p, and so does S >= smooth; O <= 2 S.
  const auto quotient_bound = [=](size_t at) {
    return [=](size_t i, const std::vector<Values>& v, DType dtype) {
      const double error = probability_error(c, v, 2, dtype), size = std::abs(v[at][i]);
      return size * (4 * error + function_error(sum_dtype(dtype), 1));
    };
  };
  const auto loss_bound = [=](size_t, const std::vector<Values>& v, DType dtype) {
    const double error = probability_error(c, v, 2, dtype);
    return kScale * static_cast<double>(c.rows()) * 2 * (2 * error + function_error(sum_dtype(dtype), 1));
  };
  return {name_of_case(c),
          {Array::input("logits", normal(c.rows() * c.classes, 81, c.size)),
           Array::input("labels", labels(c), Kind::index), Array::output("lse", c.rows(), lse_bound, Kind::statistic),
           Array::output("all", c.pictures * c.classes, quotient_bound(3), Kind::statistic),
           Array::output("own", c.pictures * c.classes, quotient_bound(4), Kind::statistic),
           Array::output("loss", 1, loss_bound, Kind::statistic)},
          [=](DType dtype, const Pointers& p) {
            return DiceLossForward{p[0],       static_cast<const int32_t*>(p[1]),
                                   p[2],       p[3],
                                   p[4],       p[5],
                                   c.pictures, c.pixels,
                                   c.classes,  kIgnore,
                                   kSmooth,    kScale,
                                   dtype};
          }};
}

// Arrays: 0 logits, 1 labels, 2 lse, 3 all, 4 own, 5 dloss, 6 dlogits.
Problem<DiceLossBackward> backward_problem(const DiceCase& c, bool in_place) {
  const Values logits = normal(c.rows() * c.classes, 82, c.size);
  Values lse, all, own;
  for (int64_t i = 0; i < c.rows(); ++i) {
    double total = 0.05;  // a little above the true one: with the logits rounded to 16 bits, p still must not pass 1
    for (int64_t v = 0; v < c.classes; ++v) total += std::exp(logits[static_cast<size_t>(i * c.classes + v)]);
    lse.push_back(std::log(total) + 0.01 * c.size);
  }
  for (int64_t i = 0; i < c.pictures * c.classes; ++i) {
    all.push_back(0.1 + 0.2 * static_cast<double>(i % 3));
    own.push_back(0.3 + 0.1 * static_cast<double>(i % 4));
  }
  // Slopes are below 0.7; their mean under p has as many terms as classes.
  const auto bound = [=](size_t, const std::vector<Values>& v, DType dtype) {
    const double error = probability_error(c, v, 2, dtype);
    return kCotangent * kScale * 0.7 * (4 * error + sum_error(sum_dtype(dtype), c.classes, 2));
  };
  auto dlogits = Array::output("dlogits", c.rows() * c.classes, bound);
  return {name_of_case(c) + (in_place ? " in place" : ""),
          {Array::input("logits", logits), Array::input("labels", labels(c), Kind::index),
           Array::input("lse", lse, Kind::statistic), Array::input("all", all, Kind::statistic),
           Array::input("own", own, Kind::statistic), Array::input("dloss", {kCotangent}, Kind::statistic),
           in_place ? std::move(dlogits).over(0) : std::move(dlogits)},
          [=](DType dtype, const Pointers& p) {
            return DiceLossBackward{p[0], p[2],       p[3],     p[4],      p[5],    static_cast<const int32_t*>(p[1]),
                                    p[6], c.pictures, c.pixels, c.classes, kIgnore, kScale,
                                    dtype};
          }};
}

TEST(DiceLoss, EveryShape) {
  for (const DiceCase& c : kCases) {
    check_all(kernels::dice_loss_forward, forward_problem(c));
    for (const bool in_place : {false, true}) check_all(kernels::dice_loss_backward, backward_problem(c, in_place));
  }
}

TEST(DiceLoss, AnIgnoredPixelHasNoPartEvenWhereItIsNan) {
  auto problem = forward_problem({1, 7, 2});
  problem.arrays[0].values[3 * 2] = std::numeric_limits<double>::quiet_NaN();  // pixel 3 is ignored
  check_all(kernels::dice_loss_forward, problem);
}

TEST(DiceLoss, NanLogitSpoilsTheLoss) {
  auto problem = forward_problem({2, 6, 3});
  problem.arrays[0].values[7] = std::numeric_limits<double>::quiet_NaN();  // pixel 2
  check_all(kernels::dice_loss_forward, problem);
}

}  // namespace
}  // namespace suanli::testing

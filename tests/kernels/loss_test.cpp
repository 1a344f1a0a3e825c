// Cross-entropy and the pointwise losses: values, gradients, ignored labels, smoothing, masked logits, NaN.
#include "kernels/loss.h"

#include "kernels/harness.h"

namespace suanli::testing {
namespace {

using kernels::CrossEntropyBackward;
using kernels::CrossEntropyForward;
using kernels::PointwiseLoss;
using kernels::PointwiseLossBackward;
using kernels::PointwiseLossForward;
using kernels::SoftCrossEntropyBackward;
using kernels::SoftCrossEntropyForward;

const double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();
constexpr int32_t kIgnore = -100;

struct LossShape {
  int64_t rows, vocab;
};
const std::vector<LossShape> kShapes = {{0, 5},  {1, 1},   {3, 2},  {7, 7},    {5, 15},   {16, 16},
                                        {9, 17}, {33, 33}, {4, 64}, {130, 65}, {20, 384}, {3, 1537}};

Values labels(const LossShape& s) {
  RandomGenerator random({.seed = 7, .step = 0, .site = 60});
  Values out;
  for (int64_t t = 0; t < s.rows; ++t) {
    const auto label = static_cast<double>(random.below(static_cast<uint64_t>(s.vocab)));
    out.push_back(t % 4 == 1 ? kIgnore : label);
  }
  return out;
}

/// Error of log sum exp over `vocab` logits: that of its largest one, and of a positive sum near 1 in relative terms.
double lse_error(double lse, double most, int64_t vocab, DType dtype) {
  return function_error(sum_dtype(dtype), std::abs(lse) + std::abs(most)) + sum_error(sum_dtype(dtype), vocab, 2);
}

Problem<CrossEntropyForward> forward_problem(const LossShape& s, double smoothing, double size = 3) {
  const Values target = labels(s);
  const auto row_error = [=](size_t t, const std::vector<Values>& v, DType dtype) {
    const double most = largest(v[0].data() + static_cast<int64_t>(t) * s.vocab, s.vocab);
    return lse_error(v[2][t], std::isinf(most) ? 100 : most, s.vocab, dtype);
  };
  const auto loss_bound = [=](size_t, const std::vector<Values>& v, DType dtype) {
    double total = 0;
    for (size_t t = 0; t < target.size(); ++t) {
      if (target[t] != kIgnore) total += 2 * row_error(t, v, dtype);  // lse, its difference to a logit, the mean
    }
    return 0.25 * total;
  };
  return {
      std::to_string(s.rows) + "x" + std::to_string(s.vocab) + " smoothing " + std::to_string(smoothing),
      {Array::input("logits", normal(s.rows * s.vocab, 61, size)), Array::input("labels", target, Kind::index),
       Array::output("lse", s.rows, row_error, Kind::statistic), Array::output("loss", 1, loss_bound, Kind::statistic)},
      [=](DType dtype, const Pointers& p) {
        return CrossEntropyForward{
            p[0], static_cast<const int32_t*>(p[1]), p[2], p[3], s.rows, s.vocab, kIgnore, smoothing, 0.25, dtype};
      }};
}

// Arrays: 0 logits, 1 labels, 2 lse, 3 dloss, 4 dlogits.
Problem<CrossEntropyBackward> backward_problem(const LossShape& s, double smoothing, bool in_place, double size = 3) {
  const Values logits = normal(s.rows * s.vocab, 62, size);
  Values lse;
  for (int64_t t = 0; t < s.rows; ++t) {
    double most = -kInfinity, total = 0;
    for (int64_t v = 0; v < s.vocab; ++v) most = std::max(most, logits[static_cast<size_t>(t * s.vocab + v)]);
    for (int64_t v = 0; v < s.vocab; ++v) total += std::exp(logits[static_cast<size_t>(t * s.vocab + v)] - most);
    lse.push_back(most + std::log(total));
  }
  // x - lse has one rounding of its size, which exp turns into a relative error; p itself is at most 1. With lse of
  // the unrounded logits p may pass 1 a little: 1.5 covers it.
  const auto bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
    if (v[1][i / static_cast<size_t>(s.vocab)] == kIgnore) return 0.0;
    const double x = logits[i], row = v[2][i / static_cast<size_t>(s.vocab)];
    return 1.7 * 0.25 * 1.5 * function_error(sum_dtype(dtype), 1 + std::abs(x - row));
  };
  auto dlogits = Array::output("dlogits", s.rows * s.vocab, bound);
  return {std::to_string(s.rows) + "x" + std::to_string(s.vocab) + " smoothing " + std::to_string(smoothing) +
              (in_place ? " in place" : ""),
          {Array::input("logits", logits), Array::input("labels", labels(s), Kind::index),
           Array::input("lse", lse, Kind::statistic), Array::input("dloss", {1.7}, Kind::statistic),
           in_place ? std::move(dlogits).over(0) : std::move(dlogits)},
          [=](DType dtype, const Pointers& p) {
            return CrossEntropyBackward{p[0],      p[2],   p[3],    static_cast<const int32_t*>(p[1]),
                                        p[4],      s.rows, s.vocab, kIgnore,
                                        smoothing, 0.25,   dtype};
          }};
}

TEST(CrossEntropy, EveryShape) {
  for (const LossShape& shape : kShapes) {
    for (const double smoothing : {0.0, 0.1}) {
      check_all(kernels::cross_entropy_forward, forward_problem(shape, smoothing));
      for (const bool in_place : {false, true}) {
        check_all(kernels::cross_entropy_backward, backward_problem(shape, smoothing, in_place));
      }
    }
  }
}

// The vocabulary of BERT: the row is far longer than any cache line or block.
TEST(CrossEntropy, WholeVocabulary) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    check(kernels::cross_entropy_forward, forward_problem({9, 30522}, 0), dtype);
    check(kernels::cross_entropy_backward, backward_problem({9, 30522}, 0.1, true), dtype);
  }
}

// Logits of +-10,000: exp of the raw numbers overflows, exp of differences to the largest does not.
TEST(CrossEntropy, HugeLogitsDoNotOverflow) {
  auto problem = forward_problem({17, 33}, 0, 3000);
  check(kernels::cross_entropy_forward, problem, DType::f32);
  check(kernels::cross_entropy_forward, problem, DType::bf16);
  check(kernels::cross_entropy_backward, backward_problem({17, 33}, 0, false, 3000), DType::f32);
}

TEST(CrossEntropy, MaskedLogitsHaveNoProbability) {
  auto problem = forward_problem({5, 33}, 0);
  const Values target = labels({5, 33});
  for (size_t t = 0; t < 5; ++t) {
    for (size_t v = 0; v < 20; ++v) {
      if (static_cast<double>(v) != target[t]) problem.arrays[0].values[t * 33 + v] = -kInfinity;
    }
  }
  check_all(kernels::cross_entropy_forward, problem);
}

TEST(CrossEntropy, NanLogitSpoilsTheLossUnlessItsRowIsIgnored) {
  auto problem = forward_problem({6, 17}, 0.1);
  problem.arrays[0].values[2 * 17 + 3] = kNan;  // row 2 counts
  check_all(kernels::cross_entropy_forward, problem);
  auto ignored = forward_problem({6, 17}, 0.1);
  ignored.arrays[0].values[1 * 17 + 3] = kNan;  // row 1 is ignored
  check_all(kernels::cross_entropy_forward, ignored);
  auto backward = backward_problem({6, 17}, 0, false);
  backward.arrays[0].values[2 * 17 + 3] = backward.arrays[2].values[1] = kNan;
  check_all(kernels::cross_entropy_backward, backward);
}

/// Shares that add up to about 1, each third of them 0.
Values shares(const LossShape& s) {
  RandomGenerator random({.seed = 7, .step = 0, .site = 65});
  Values out;
  for (int64_t i = 0; i < s.rows * s.vocab; ++i) {
    out.push_back(i % 3 == 1 ? 0 : 3 * random.next_uniform() / static_cast<double>(s.vocab));
  }
  return out;
}

// Arrays: 0 logits, 1 targets, 2 lse, 3 loss.
Problem<SoftCrossEntropyForward> soft_forward_problem(const LossShape& s, double size = 3) {
  const Values q = shares(s);
  const auto row_error = [=](size_t t, const std::vector<Values>& v, DType dtype) {
    const double most = largest(v[0].data() + static_cast<int64_t>(t) * s.vocab, s.vocab);
    return lse_error(v[2][t], std::isinf(most) ? 100 : most, s.vocab, dtype);
  };
  // A row is a sum of `vocab` products q (lse - x), each with the error of lse.
  const auto loss_bound = [=](size_t, const std::vector<Values>& v, DType dtype) {
    double total = 0;
    for (int64_t t = 0; t < s.rows; ++t) {
      Values terms;
      for (int64_t i = t * s.vocab; i < (t + 1) * s.vocab; ++i) {
        const auto at = static_cast<size_t>(i);
        total += v[1][at] * 2 * row_error(static_cast<size_t>(t), v, dtype);
        terms.push_back(v[1][at] == 0 ? 0 : v[1][at] * (v[2][static_cast<size_t>(t)] - v[0][at]));
      }
      total += sum_error(sum_dtype(dtype), s.vocab, norm(terms.data(), s.vocab));
    }
    return 0.25 * total;
  };
  return {
      std::to_string(s.rows) + "x" + std::to_string(s.vocab),
      {Array::input("logits", normal(s.rows * s.vocab, 66, size)), Array::input("targets", q, Kind::statistic),
       Array::output("lse", s.rows, row_error, Kind::statistic), Array::output("loss", 1, loss_bound, Kind::statistic)},
      [=](DType dtype, const Pointers& p) {
        return SoftCrossEntropyForward{p[0], p[1], p[2], p[3], s.rows, s.vocab, 0.25, dtype};
      }};
}

// Arrays: 0 logits, 1 targets, 2 lse, 3 dloss, 4 dlogits.
Problem<SoftCrossEntropyBackward> soft_backward_problem(const LossShape& s, bool in_place) {
  const Problem<CrossEntropyBackward> hard = backward_problem(s, 0, false);
  const Values logits = hard.arrays[0].values;
  // The sum of the shares of a row is at most 3; p as in backward_problem at most 1.5.
  const auto bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
    const double row = v[2][i / static_cast<size_t>(s.vocab)];
    return 1.7 * 0.25 * 3 *
           (1.5 * function_error(sum_dtype(dtype), 1 + std::abs(logits[i] - row)) +
            1.5 * sum_error(sum_dtype(dtype), s.vocab, 1));
  };
  auto dlogits = Array::output("dlogits", s.rows * s.vocab, bound);
  return {std::to_string(s.rows) + "x" + std::to_string(s.vocab) + (in_place ? " in place" : ""),
          {hard.arrays[0], Array::input("targets", shares(s), Kind::statistic), hard.arrays[2], hard.arrays[3],
           in_place ? std::move(dlogits).over(0) : std::move(dlogits)},
          [=](DType dtype, const Pointers& p) {
            return SoftCrossEntropyBackward{p[0], p[1], p[2], p[3], p[4], s.rows, s.vocab, 0.25, dtype};
          }};
}

TEST(SoftCrossEntropy, EveryShape) {
  for (const LossShape& shape : kShapes) {
    check_all(kernels::soft_cross_entropy_forward, soft_forward_problem(shape));
    for (const bool in_place : {false, true}) {
      check_all(kernels::soft_cross_entropy_backward, soft_backward_problem(shape, in_place));
    }
  }
}

// A class that is neither meant nor possible adds nothing: 0 times infinity is not NaN here.
TEST(SoftCrossEntropy, MaskedLogitsOfNoShareAddNothing) {
  auto problem = soft_forward_problem({5, 33});
  for (size_t i = 0; i < 5 * 33; ++i) {
    if (problem.arrays[1].values[i] == 0) problem.arrays[0].values[i] = -kInfinity;
  }
  check_all(kernels::soft_cross_entropy_forward, problem);
}

TEST(SoftCrossEntropy, HugeLogitsDoNotOverflow) {
  check(kernels::soft_cross_entropy_forward, soft_forward_problem({17, 33}, 3000), DType::f32);
}

TEST(SoftCrossEntropy, NanLogitSpoilsTheLoss) {
  auto problem = soft_forward_problem({6, 17});
  problem.arrays[0].values[2 * 17 + 3] = kNan;
  check_all(kernels::soft_cross_entropy_forward, problem);
}

TEST(PointwiseLoss, EveryCount) {
  for (const PointwiseLoss kind :
       {PointwiseLoss::mse, PointwiseLoss::bce_with_logits, PointwiseLoss::l1, PointwiseLoss::smooth_l1}) {
    for (const int64_t count : kCounts) {
      Values target = normal(count, 64);
      if (kind == PointwiseLoss::bce_with_logits) {
        for (double& value : target) value = value > 0 ? 1 : value < -1 ? 0.3 : 0;
      }
      const Values x = normal(count, 63, 3);
      // Terms: (x - t)^2, or max(x, 0), x t and a log of at most log 2 each; smooth L1 is at most |x - t|.
      const auto loss_bound = [=](size_t, const std::vector<Values>& v, DType dtype) {
        double total = 0;
        for (size_t i = 0; i < x.size(); ++i) {
          const double size = std::abs(v[0][i]) + std::abs(v[1][i]);
          total += kind == PointwiseLoss::mse ? size * size : size + std::abs(v[0][i] * v[1][i]) + 1;
        }
        return 0.5 * function_error(sum_dtype(dtype), total);
      };
      const auto dx_bound = [=](size_t i, const std::vector<Values>& v, DType dtype) {
        return 1.3 * 0.5 * function_error(sum_dtype(dtype), 2 * (std::abs(x[i]) + std::abs(v[1][i]) + 1));
      };
      check_all(kernels::pointwise_loss_forward,
                Problem<PointwiseLossForward>{"count " + std::to_string(count),
                                              {Array::input("x", x), Array::input("target", target, Kind::statistic),
                                               Array::output("loss", 1, loss_bound, Kind::statistic)},
                                              [=](DType dtype, const Pointers& p) {
                                                return PointwiseLossForward{p[0], p[1], p[2],  count,
                                                                            0.5,  kind, dtype, 1.5};
                                              }});
      check_all(kernels::pointwise_loss_backward,
                Problem<PointwiseLossBackward>{
                    "count " + std::to_string(count),
                    {Array::input("x", x), Array::input("target", target, Kind::statistic),
                     Array::input("dloss", {1.3}, Kind::statistic), Array::output("dx", count, dx_bound)},
                    [=](DType dtype, const Pointers& p) {
                      return PointwiseLossBackward{p[0], p[1], p[2], p[3], count, 0.5, kind, dtype, 1.5};
                    }});
    }
  }
}

}  // namespace
}  // namespace suanli::testing

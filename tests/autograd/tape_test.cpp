// The tape: which tensors get a gradient, how gradients add up, when nothing is recorded, and recomputation.
#include "autograd/gradient_hook.h"

#include <gtest/gtest.h>

#include <vector>

namespace suanli {
namespace {

// The tape knows no op, so the tests bring three of their own on f64 vectors: products, sums and a scaled copy.
Tensor vector_of(std::vector<double> values) { return Tensor::from(values, {static_cast<int64_t>(values.size())}); }
std::vector<double> values_of(const Tensor& tensor) {
  const auto values = tensor.host<double>();
  return {values.begin(), values.end()};
}

template <class F>
Tensor each(const Tensor& a, const Tensor& b, F&& f) {
  Tensor y = Tensor::empty(a.shape(), DType::f64);
  for (int64_t i = 0; i < a.elements(); ++i) {
    const auto at = static_cast<size_t>(i);
    y.host<double>()[at] = f(a.host<double>()[at], b.host<double>()[at]);
  }
  return y;
}

int rules_run = 0;

Tensor multiply(const Tensor& a, const Tensor& b) {
  const auto product = [](double x, double y) { return x * y; };
  Tensor y = each(a, b, product);
  record("multiply", y, {a, b}, [a = detach(a), b = detach(b), product](const Tensor& dy) {
    ++rules_run;
    return std::vector<Tensor>{each(dy, b, product), each(dy, a, product)};
  });
  return y;
}

Tensor add(const Tensor& a, const Tensor& b) {
  Tensor y = each(a, b, [](double u, double v) { return u + v; });
  record("add", y, {a, b}, [](const Tensor& dy) {
    ++rules_run;
    return std::vector<Tensor>{dy, dy};
  });
  return y;
}

/// In place where it may be, as the ops' sum is: the tape must not hand it a tensor that somebody else still reads.
Tensor sum_of_gradients(Tensor a, const Tensor& b) {
  Tensor target = a.unique() ? a : a.clone();
  for (int64_t i = 0; i < a.elements(); ++i) {
    target.host<double>()[static_cast<size_t>(i)] =
        a.host<double>()[static_cast<size_t>(i)] + b.host<double>()[static_cast<size_t>(i)];
  }
  return target;
}

class Tape : public ::testing::Test {
 protected:
  void SetUp() override {
    set_gradient_sum(&sum_of_gradients);
    rules_run = 0;
  }
  static Tensor leaf(std::vector<double> values) {
    Tensor tensor = vector_of(std::move(values));
    require_gradient(tensor);
    return tensor;
  }
  using Vector = std::vector<double>;
};

TEST_F(Tape, GradientsReachTheLeaves) {
  const Tensor a = leaf({2, 3}), b = leaf({5, 7}), constant = vector_of({10, 100});
  const Tensor y = multiply(multiply(a, b), constant);
  backward(y, vector_of({1, 2}));
  EXPECT_EQ(values_of(gradient_of(a)), (Vector{50, 1400}));
  EXPECT_EQ(values_of(gradient_of(b)), (Vector{20, 600}));
  EXPECT_FALSE(wants_gradient(constant));
}

TEST_F(Tape, OneElementNeedsNoCotangent) {
  const Tensor a = leaf({3});
  backward(multiply(a, a));
  EXPECT_EQ(values_of(gradient_of(a)), (Vector{6}));
}

TEST_F(Tape, EveryUseOfATensorAddsToItsGradient) {
  const Tensor a = leaf({2});
  const Tensor square = multiply(a, a);             // a^2
  const Tensor cube = multiply(square, a);          // a^3
  const Tensor y = add(add(cube, square), square);  // a^3 + 2 a^2
  backward(y);
  EXPECT_EQ(values_of(gradient_of(a)), (Vector{3 * 4 + 4 * 2}));
}

// A node whose output is used at several depths runs once, after all of its users.
TEST_F(Tape, EachRuleRunsOnceWithItsWholeGradient) {
  const Tensor a = leaf({3});
  Tensor y = multiply(a, a);
  const Tensor early = y;
  for (int i = 0; i < 4; ++i) y = add(y, early);  // 5 a^2
  rules_run = 0;
  backward(y);
  EXPECT_EQ(rules_run, 5);
  EXPECT_EQ(values_of(gradient_of(a)), (Vector{30}));
}

// add() hands one tensor to both sides: what is then added to one must not show in the other, nor in dy.
TEST_F(Tape, SharedGradientsAreNotOverwritten) {
  const Tensor a = leaf({1}), b = leaf({1});
  const Tensor dy = vector_of({1});
  const Tensor y = add(add(a, b), a);
  backward(y, dy);
  EXPECT_EQ(values_of(gradient_of(a)), (Vector{2}));
  EXPECT_EQ(values_of(gradient_of(b)), (Vector{1}));
  EXPECT_EQ(values_of(dy), (Vector{1}));
}

TEST_F(Tape, TwoBackwardCallsAccumulate) {
  const Tensor a = leaf({2, 5});
  for (int call = 1; call <= 3; ++call) {
    backward(multiply(a, a), vector_of({1, 1}));
    EXPECT_EQ(values_of(gradient_of(a)), (Vector{4.0 * call, 10.0 * call}));
  }
}

TEST_F(Tape, AGradientOnceReadStaysAsItWas) {
  const Tensor a = leaf({2});
  backward(multiply(a, a));
  const Tensor first = gradient_of(a);
  backward(multiply(a, a));
  EXPECT_EQ(values_of(first), (Vector{4}));
  EXPECT_EQ(values_of(gradient_of(a)), (Vector{8}));
  gradient_of(a) = {};
  backward(multiply(a, a));
  EXPECT_EQ(values_of(gradient_of(a)), (Vector{4}));
}

TEST_F(Tape, NothingIsRecordedWithoutGradients) {
  const Tensor a = leaf({2});
  {
    const NoGradient off;
    EXPECT_FALSE(gradient_enabled());
    EXPECT_FALSE(wants_gradient(a));
    const Tensor y = multiply(a, a);
    EXPECT_EQ(y.tape(), nullptr);
    {
      const NoGradient nested;
      EXPECT_FALSE(gradient_enabled());
    }
    EXPECT_FALSE(gradient_enabled());
  }
  EXPECT_TRUE(gradient_enabled());
  EXPECT_EQ(multiply(vector_of({1}), vector_of({2})).tape(), nullptr) << "no input wants a gradient";
  EXPECT_NE(multiply(a, a).tape(), nullptr);
}

TEST_F(Tape, DetachedValuesPassNoGradient) {
  const Tensor a = leaf({3});
  const Tensor fixed = detach(multiply(a, a));
  EXPECT_TRUE(fixed.tape() == nullptr);
  backward(multiply(fixed, a));
  EXPECT_EQ(values_of(gradient_of(a)), (Vector{9}));
}

TEST_F(Tape, BackwardReleasesWhatRulesHold) {
  const Tensor a = leaf({1, 2, 3});
  const Tensor b = vector_of({4, 5, 6});
  const Tensor y = multiply(a, b);
  EXPECT_FALSE(b.unique()) << "the rule keeps b";
  backward(y, vector_of({1, 1, 1}));
  EXPECT_TRUE(b.unique()) << "the tape still holds b after backward";
}

TEST_F(Tape, MisuseIsAUserError) {
  const Tensor a = leaf({1, 2}), plain = vector_of({1, 2});
  const Tensor y = multiply(a, a);
  EXPECT_THROW(backward(plain), UserError);
  EXPECT_THROW(backward(a), UserError);
  EXPECT_THROW(backward(y), UserError) << "two elements need a cotangent";
  EXPECT_THROW(backward(y, vector_of({1, 2, 3})), UserError);
  EXPECT_THROW(backward(y, Tensor::zeros({2}, DType::f32)), UserError);
  EXPECT_THROW(gradient_of(plain), UserError);
  EXPECT_THROW(gradient_of(y), UserError);
  EXPECT_FALSE(gradient_of(a).defined());
  backward(y, vector_of({1, 1}));
  EXPECT_THROW(backward(y, vector_of({1, 1})), UserError) << "the tape was walked before";
}

TEST_F(Tape, WalkingASharedPartTwiceIsAUserError) {
  const Tensor a = leaf({2});
  const Tensor shared = multiply(a, a);
  const Tensor first = add(shared, shared), second = multiply(shared, shared);
  backward(first);
  EXPECT_THROW(backward(second), UserError);
}

// Recomputation: the same bits as keeping everything, for the input and for parameters inside the segment.
TEST_F(Tape, RecomputeGivesTheSameBits) {
  const auto segment = [](const Tensor& weight) {
    return [weight](const Tensor& x) { return multiply(add(multiply(x, weight), x), multiply(x, x)); };
  };
  const Vector start = {0.1, -2.3, 1e-7, 4}, factors = {3.3, 0.7, -1e5, 1.0 / 3};
  const Tensor x1 = leaf(start), w1 = leaf(factors), x2 = leaf(start), w2 = leaf(factors);
  const Tensor kept = multiply(segment(w1)(x1), x1);
  const Tensor y2 = recompute(segment(w2), x2);
  const Tensor again = multiply(y2, x2);
  EXPECT_EQ(values_of(kept), values_of(again));
  const Tensor dy = vector_of({1, 0.5, -3, 1.0 / 7});
  backward(kept, dy);
  backward(again, dy);
  EXPECT_EQ(values_of(gradient_of(x1)), values_of(gradient_of(x2)));
  EXPECT_EQ(values_of(gradient_of(w1)), values_of(gradient_of(w2)));
  EXPECT_TRUE(gradient_enabled());
}

TEST_F(Tape, RecomputeKeepsNothingBetween) {
  const Tensor x = leaf({1, 2});
  Tensor inner;
  const Tensor y = recompute(
      [&inner](const Tensor& input) {
        inner = multiply(input, input);
        return multiply(inner, inner);
      },
      x);
  EXPECT_EQ(inner.tape(), nullptr);
  EXPECT_TRUE(inner.unique()) << "a rule keeps an intermediate of the segment";
  backward(y, vector_of({1, 1}));
  EXPECT_EQ(values_of(gradient_of(x)), (Vector{4, 32}));
}

TEST_F(Tape, RecomputeTrainsParametersOverAnInputWithoutGradient) {
  const Tensor x = vector_of({2}), weight = leaf({5});
  const Tensor y = recompute([weight](const Tensor& input) { return multiply(input, weight); }, x);
  backward(y);
  EXPECT_EQ(values_of(gradient_of(weight)), (Vector{2}));
}

// Backward through the segment would walk the outer tape early and lose its gradient.
TEST_F(Tape, RecomputeRefusesAResultFromOutside) {
  const Tensor x = leaf({2}), outside = multiply(leaf({3}), leaf({5}));
  EXPECT_THROW(recompute([outside](const Tensor& t) { return multiply(t, outside); }, x), UserError);
  EXPECT_TRUE(gradient_enabled());
  const Tensor y = recompute([outside](const Tensor& t) { return multiply(t, t); }, outside);
  backward(y);
}

TEST_F(Tape, RecomputeInsideRecompute) {
  const Tensor x = leaf({1.5}), weight = leaf({2});
  const auto inner = [weight](const Tensor& t) { return multiply(t, weight); };
  const Tensor y = recompute([inner](const Tensor& t) { return multiply(recompute(inner, t), t); }, x);  // w x^2
  backward(y);
  EXPECT_EQ(values_of(gradient_of(x)), (Vector{6}));
  EXPECT_EQ(values_of(gradient_of(weight)), (Vector{2.25}));
}

TEST_F(Tape, RecomputeWithoutGradientsRunsOnce) {
  int runs = 0;
  const Tensor x = leaf({2});
  const auto segment = [&runs](const Tensor& t) {
    ++runs;
    return multiply(t, t);
  };
  const NoGradient off;
  EXPECT_EQ(values_of(recompute(segment, x)), (Vector{4}));
  EXPECT_EQ(runs, 1);
}

TEST_F(Tape, AHookIsCalledOnceForEachLeafWhenItsGradientIsWhole) {
  const Tensor first = leaf({2}), shared = leaf({3}), last = leaf({5}), unused = leaf({7}), constant = vector_of({1});
  const Tensor unread = multiply(unused, shared);  // a use that no backward walks
  std::vector<std::pair<const TapeEntry*, double>> calls;
  const GradientHook hook([&](const TapeEntry& entry) { calls.emplace_back(&entry, values_of(entry.gradient)[0]); });
  const auto run = [&] {
    const Tensor product = multiply(first, shared), square = multiply(shared, shared), sum = add(product, square);
    backward(multiply(sum, multiply(last, constant)));
  };
  run();
  // y = (2 * 3 + 3 * 3) * 5: what was recorded last is walked first.
  const auto expected = [&](double passes) {
    return std::vector<std::pair<const TapeEntry*, double>>{{last.tape().get(), 15 * passes},
                                                            {first.tape().get(), 15 * passes},
                                                            {shared.tape().get(), (2 + 6) * 5 * passes}};
  };
  EXPECT_EQ(calls, expected(1));
  calls.clear();
  run();
  EXPECT_EQ(calls, expected(2)) << "gradients add up";
}

TEST_F(Tape, AHookIsNotCalledBelowRecomputedSegments) {
  const Tensor weight = leaf({2}), x = leaf({3});
  int calls = 0;
  const GradientHook hook([&](const TapeEntry&) { ++calls; });
  const auto segment = [&](const Tensor& in) { return multiply(in, weight); };
  backward(multiply(recompute(segment, recompute(segment, x)), weight));
  EXPECT_EQ(calls, 0) << "another segment may use the weight again";
  EXPECT_EQ(values_of(gradient_of(weight)), std::vector<double>{3 * 3 * 2 * 2}) << "x * weight^3";
}

}  // namespace
}  // namespace suanli

// Updates equal torch.optim's over several clipped steps; a state saved and loaded continues bit for bit.
#include "optim/optimizer.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/json.h"
#include "kernels/registry.h"

namespace suanli::optim {
namespace {

Tensor vector_of(const Json& values) {
  const auto numbers = values.get<std::vector<float>>();
  return Tensor::from(numbers, {static_cast<int64_t>(numbers.size())});
}

Json golden() { return read_json(std::string(SUANLI_TESTS_DIR) + "/golden/optim/values.json"); }

class Optimizers : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (kernels::listed_implementations().empty()) kernels::register_all();
  }

  static std::vector<nn::Parameter> parameters(const Json& start) {
    std::vector<nn::Parameter> list;
    for (const auto& [name, values] : start.items()) {
      list.push_back({name, vector_of(values)});
      require_gradient(list.back().value);
    }
    return list;
  }

  static void set_gradients(const std::vector<nn::Parameter>& list, const Json& gradients) {
    for (const nn::Parameter& p : list) gradient_of(p.value) = vector_of(gradients[p.name]);
  }

  /// Replays the golden run. f32 weights near 1: 2e-6 is about 16 units in the last place, room for six steps whose
  /// roundings differ from PyTorch's order of operations.
  static void expect_same_updates(const Json& run, const std::vector<nn::Parameter>& list, Optimizer& optimizer) {
    for (const Json& step : run["steps"]) {
      set_gradients(list, step["gradients"]);
      const StepReport report = optimizer.step(step["learning_rate"], run["max_norm"]);
      EXPECT_NEAR(report.gradient_norm, step["norm"].get<double>(), 1e-6 * report.gradient_norm);
      EXPECT_EQ(report.not_finite, "");
      for (const nn::Parameter& p : list) {
        const auto wanted = step["weights"][p.name].get<std::vector<double>>();
        for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(p.value.host<float>()[i], wanted[i], 2e-6) << p.name;
      }
    }
  }
};

TEST_F(Optimizers, AdamwUpdatesAsPyTorch) {
  const Json run = golden()["adamw"];
  const auto list = parameters(run["start"]);
  const auto optimizer = adamw(list, {.beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-6, .weight_decay = 0.1});
  expect_same_updates(run, list, *optimizer);
  EXPECT_EQ(optimizer->steps(), 6);
}

TEST_F(Optimizers, SgdUpdatesAsPyTorch) {
  for (const auto& [name, momentum] : {std::pair{"sgd", 0.0}, {"sgd_momentum", 0.9}}) {
    const Json run = golden()[name];
    const auto list = parameters(run["start"]);
    const auto optimizer = sgd(list, {.momentum = momentum, .weight_decay = 0.1});
    expect_same_updates(run, list, *optimizer);
  }
}

TEST_F(Optimizers, BiasesAndNormalisationsDoNotDecay) {
  for (const char* name : {"encoder.layer.0.attention.qkv.weight", "embeddings.word.weight", "pooler.dense.weight"}) {
    EXPECT_TRUE(decays(name)) << name;
  }
  for (const char* name :
       {"encoder.layer.0.attention.qkv.bias", "bias", "rnn.bias_ih_l0", "encoder.layer.0.attention_norm.weight",
        "embeddings.norm.weight", "embeddings.LayerNorm.weight"}) {
    EXPECT_FALSE(decays(name)) << name;
  }
}

TEST_F(Optimizers, ALoadedStateContinuesBitForBit) {
  const Json run = golden()["adamw"];
  const auto unbroken = parameters(run["start"]);
  const auto first = adamw(unbroken, {});
  std::vector<nn::Parameter> resumed;
  std::unique_ptr<Optimizer> second;
  for (int step = 0; step < 6; ++step) {
    if (step == 3) {
      for (const nn::Parameter& p : unbroken) {
        resumed.push_back({p.name, p.value.clone()});
        require_gradient(resumed.back().value);
      }
      second = adamw(resumed, {});
      second->load(first->state());
    }
    set_gradients(unbroken, run["steps"][static_cast<size_t>(step)]["gradients"]);
    first->step(1e-3, 0);
    if (second == nullptr) continue;
    set_gradients(resumed, run["steps"][static_cast<size_t>(step)]["gradients"]);
    second->step(1e-3, 0);
  }
  for (size_t i = 0; i < unbroken.size(); ++i) {
    const auto a = unbroken[i].value.host<float>(), b = resumed[i].value.host<float>();
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin())) << unbroken[i].name;
  }
}

TEST_F(Optimizers, AStateOfAnotherModelIsRefusedAndNothingChanges) {
  const Json run = golden()["adamw"];
  const auto list = parameters(run["start"]);
  const auto optimizer = adamw(list, {});
  StateTensors missing = optimizer->state(), other = optimizer->state(), more = optimizer->state();
  missing.erase("second_moment.encoder.dense.bias");
  other["first_moment.encoder.dense.bias"] = Tensor::zeros({7}, DType::f32);
  more["first_moment.decoder.bias"] = Tensor::zeros({1}, DType::f32);
  EXPECT_THROW(optimizer->load(missing), UserError);
  EXPECT_THROW(optimizer->load(other), UserError);
  EXPECT_THROW(optimizer->load(more), UserError);
}

std::vector<float> values_of(const std::vector<nn::Parameter>& list) {
  std::vector<float> all;
  for (const nn::Parameter& p : list) all.insert(all.end(), p.value.host<float>().begin(), p.value.host<float>().end());
  return all;
}

TEST_F(Optimizers, AGradientThatIsNotFiniteIsNamedAndChangesNothing) {
  const Json run = golden()["adamw"];
  const auto list = parameters(run["start"]);
  const std::vector<float> before = values_of(list);
  const auto optimizer = adamw(list, {});
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    set_gradients(list, run["steps"][0]["gradients"]);
    gradient_of(list[1].value).host<float>()[2] = bad;
    gradient_of(list[2].value).host<float>()[0] = bad;
    const StepReport report = optimizer->step(0.1, 1);
    EXPECT_EQ(report.not_finite, list[1].name);
    EXPECT_FALSE(std::isfinite(report.gradient_norm));
  }
  EXPECT_EQ(values_of(list), before);
  EXPECT_EQ(optimizer->steps(), 0);
  for (const auto& [name, state] : optimizer->state()) {
    if (name == "step") continue;
    for (const float moment : state.host<float>()) EXPECT_EQ(moment, 0) << name;
  }
}

TEST_F(Optimizers, ALossThatIsNotFiniteChangesNothing) {
  const Json run = golden()["adamw"];
  const auto list = parameters(run["start"]);
  const std::vector<float> before = values_of(list);
  const auto optimizer = adamw(list, {});
  set_gradients(list, run["steps"][0]["gradients"]);
  optimizer->prepare(0.1);
  optimizer->update(1, Tensor::from(std::vector<float>{1, NAN, 2}, {3}));
  EXPECT_EQ(optimizer->finish().not_finite, "loss");
  EXPECT_EQ(values_of(list), before);
  optimizer->update(1, Tensor::from(std::vector<float>{1, 2}, {2}));
  EXPECT_EQ(optimizer->finish().not_finite, "");
  EXPECT_NE(values_of(list), before);
}

TEST_F(Optimizers, ParametersWithoutAGradientCountForNothingAndStay) {
  const Json run = golden()["adamw"];
  const auto list = parameters(run["start"]);
  const std::vector<float> before = values_of(list);
  EXPECT_EQ(adamw(list, {.weight_decay = 0.1})->step(0.1, 1).gradient_norm, 0);
  EXPECT_EQ(values_of(list), before);
}

// Gradients and the loss scale are powers of two apart: no rounding differs, neither in the norm nor in the weights.
TEST_F(Optimizers, TheLossScaleCancels) {
  const Json run = golden()["adamw"];
  const auto plain = parameters(run["start"]), scaled = parameters(run["start"]);
  const auto a = adamw(plain, {}), b = adamw(scaled, {});
  for (const Json& step : run["steps"]) {
    set_gradients(plain, step["gradients"]);
    set_gradients(scaled, step["gradients"]);
    for (const nn::Parameter& p : scaled) {
      for (float& g : gradient_of(p.value).host<float>()) g *= 1024;
    }
    const double norm = a->step(0.01, 1).gradient_norm;
    b->prepare(0.01, 1024);
    EXPECT_EQ(b->loss_scale().host<float>()[0], 1024);
    b->update(1);
    EXPECT_EQ(b->finish().gradient_norm, norm);
  }
  EXPECT_EQ(values_of(plain), values_of(scaled));
}

// A weight of 1 in bf16 has neighbours 2^-8 below and 2^-7 above. With a constant gradient AdamW moves it by the
// learning rate in each step, 1e-4 here: rounded to nearest it would stay where it is for ever. Rounded stochastically
// the mean over many weights follows the f32 master. A step's rounding has a variance below (gap / 2)^2; after 100
// steps the mean of 4096 weights is within 4 * sqrt(100 / 4096) * 2^-9 = 0.0012 of it, far less than the way of 0.01.
TEST_F(Optimizers, WeightsInBf16FollowTheirF32MasterOnAverage) {
  constexpr int64_t kCount = 4096;
  const auto run = [&](DType dtype, uint64_t seed) {
    Tensor weight = Tensor::empty({kCount, 1}, dtype), gradient = Tensor::empty({kCount, 1}, dtype);
    for (size_t i = 0; i < kCount; ++i) {
      if (dtype == DType::f32) {
        weight.host<float>()[i] = 1, gradient.host<float>()[i] = 0.5F;
      } else {
        weight.host<bfloat16>()[i] = bfloat16(1), gradient.host<bfloat16>()[i] = bfloat16(0.5F);
      }
    }
    require_gradient(weight);
    const auto optimizer = adamw({{"w", weight}}, {.seed = seed});
    for (int step = 0; step < 100; ++step) {
      gradient_of(weight) = gradient;
      optimizer->step(1e-4, 0);
    }
    EXPECT_EQ(optimizer->state().at("first_moment.w").dtype(), DType::f32);
    std::vector<double> values;
    for (size_t i = 0; i < kCount; ++i) {
      values.push_back(dtype == DType::f32 ? weight.host<float>()[i] : static_cast<float>(weight.host<bfloat16>()[i]));
    }
    return values;
  };
  const auto mean = [](const std::vector<double>& v) { return std::accumulate(v.begin(), v.end(), 0.0) / kCount; };
  const std::vector<double> master = run(DType::f32, 1), rounded = run(DType::bf16, 1);
  EXPECT_NEAR(mean(master), 0.99, 1e-5);
  EXPECT_NEAR(mean(rounded), mean(master), 0.0012);
  EXPECT_EQ(rounded, run(DType::bf16, 1)) << "the bits depend on seed and step alone";
  EXPECT_NE(rounded, run(DType::bf16, 2));
}

TEST_F(Optimizers, LargeFiniteGradientsAreNotTakenForInfinity) {
  std::vector<nn::Parameter> leaves = {{"w", Tensor::zeros({2}, DType::f32)}};
  require_gradient(leaves[0].value);
  gradient_of(leaves[0].value) = Tensor::from(std::vector<float>{3e38F, 3e38F}, {2});
  EXPECT_EQ(sgd(leaves, {})->step(1, 1).not_finite, "");
}

}  // namespace
}  // namespace suanli::optim

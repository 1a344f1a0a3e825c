// Updates equal torch.optim's over several clipped steps; a state saved and loaded continues bit for bit.
#include "optim/optimizer.h"

#include <cmath>

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/json.h"
#include "kernels/registry.h"
#include "optim/gradients.h"

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
      const GradientNorm norm = gradient_norm(list);
      EXPECT_NEAR(norm.norm, step["norm"].get<double>(), 1e-6 * norm.norm);
      EXPECT_EQ(norm.not_finite, "");
      optimizer.step(step["learning_rate"], clipping_factor(norm.norm, run["max_norm"]));
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
  for (const char* name : {"encoder.layer.0.attention.qkv.bias", "bias", "encoder.layer.0.attention_norm.weight",
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
    first->step(1e-3, 1.0);
    if (second == nullptr) continue;
    set_gradients(resumed, run["steps"][static_cast<size_t>(step)]["gradients"]);
    second->step(1e-3, 1.0);
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

TEST_F(Optimizers, TheFirstGradientThatIsNotFiniteIsNamed) {
  const Json run = golden()["adamw"];
  const auto list = parameters(run["start"]);
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    set_gradients(list, run["steps"][0]["gradients"]);
    gradient_of(list[1].value).host<float>()[2] = bad;
    gradient_of(list[2].value).host<float>()[0] = bad;
    const GradientNorm norm = gradient_norm(list);
    EXPECT_EQ(norm.not_finite, list[1].name);
    EXPECT_FALSE(std::isfinite(norm.norm));
  }
  clear_gradients(list);
  EXPECT_EQ(gradient_norm(list).norm, 0) << "parameters without a gradient count for nothing";
}

TEST_F(Optimizers, LargeFiniteGradientsAreNotTakenForInfinity) {
  const std::vector<nn::Parameter> list = {{"w", Tensor::zeros({2}, DType::f32)}};
  std::vector<nn::Parameter> leaves = list;
  require_gradient(leaves[0].value);
  gradient_of(leaves[0].value) = Tensor::from(std::vector<float>{3e38F, 3e38F}, {2});
  EXPECT_EQ(gradient_norm(leaves).not_finite, "");
}

}  // namespace
}  // namespace suanli::optim

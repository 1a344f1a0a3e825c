// Generation writes what transformers writes; sampling draws from the distribution that it says.
#include "infer/generation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "device.h"
#include "expect_error.h"
#include "formats/safetensors.h"
#include "infer/next_token.h"
#include "ops/initialize.h"

namespace suanli::infer {
namespace {

std::filesystem::path folder_of(const std::string& family) {
  return std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models" / family / "causal-lm";
}

Generator load(const std::string& family) {
  initialize();
  return {models::load_model(folder_of(family), {.head = models::Head::causal_lm, .device = test_device()}),
          DType::f32};
}

std::vector<TokenIds> sequences(const SafetensorsFile& file, const std::string& name) {
  const auto ids = file.tensor(name + "/ids").host<int32_t>(), offsets = file.tensor(name + "/offsets").host<int32_t>();
  std::vector<TokenIds> out;
  for (size_t b = 0; b + 1 < offsets.size(); ++b) {
    out.emplace_back(ids.begin() + offsets[b], ids.begin() + offsets[b + 1]);
  }
  return out;
}

class Generation : public testing::TestWithParam<const char*> {
 protected:
  void expect_tokens(const char* name, GenerationConfig config) {
    const SafetensorsFile golden = SafetensorsFile::open(folder_of(GetParam()) / "golden.safetensors");
    config.max_new_tokens = 12;
    config.eos_token_id = {7};
    EXPECT_EQ(load(GetParam()).generate(sequences(golden, "prompt"), config), sequences(golden, name)) << name;
  }
};

TEST_P(Generation, GreedyTokensAreThoseOfTransformers) {
  expect_tokens("greedy", {});
  expect_tokens("penalty", {.repetition_penalty = 1.3});
}
TEST_P(Generation, BeamsAreThoseOfTransformers) {
  expect_tokens("beams", {.num_beams = 3});
  expect_tokens("early", {.num_beams = 3, .length_penalty = 0.5, .early_stopping = true});
}
INSTANTIATE_TEST_SUITE_P(Models, Generation, testing::Values("gpt2", "llama", "llama_tied"));

TEST(Generator, SamplingDependsOnSeedAndPromptAloneNotOnTheBatch) {
  const Generator generator = load("llama");
  const GenerationConfig config = {.max_new_tokens = 10, .do_sample = true, .seed = 5};
  const std::vector<TokenIds> both = {{9, 10}, {11, 12, 13}};
  const auto together = generator.generate(both, config);
  EXPECT_EQ(generator.generate(std::vector<TokenIds>{both[0]}, config).front(), together[0]);
  EXPECT_NE(generator.generate(both, {.max_new_tokens = 10, .do_sample = true, .seed = 6}), together);
}

TEST(Generator, ACallbackEndsItsSequenceAlone) {
  const Generator generator = load("llama");
  const std::vector<TokenIds> prompts = {{9, 10}, {11, 12, 13}};
  const auto results = generator.generate(prompts, {.max_new_tokens = 6},
                                          [](size_t p, auto added) { return p == 0 && added.size() == 2; });
  EXPECT_EQ(results[0].size(), 2U);
  EXPECT_EQ(results[1].size(), 6U);
}

TEST(Generator, TextEndsWhereThePositionsEnd) {
  const Generator generator = load("gpt2");
  EXPECT_EQ(generator.generate(std::vector<TokenIds>{TokenIds(60, 9)}, {.max_new_tokens = 20}).front().size(), 4U);
  EXPECT_NE(error_of([&] { generator.generate(std::vector<TokenIds>{TokenIds(64, 9)}, {}); }).find("shorter"),
            std::string::npos);
}

TEST(Generator, BadInputIsTheUsersError) {
  const Generator generator = load("gpt2");
  for (const TokenIds& prompt : {TokenIds{}, TokenIds{60}, TokenIds{-1}}) {
    EXPECT_THROW(generator.generate(std::vector<TokenIds>{prompt}, {}), UserError);
  }
  for (const GenerationConfig& config :
       {GenerationConfig{.max_new_tokens = 0}, GenerationConfig{.temperature = 0}, GenerationConfig{.top_k = -1},
        GenerationConfig{.top_p = 0}, GenerationConfig{.min_p = 2}, GenerationConfig{.repetition_penalty = 0},
        GenerationConfig{.num_beams = 0}, GenerationConfig{.do_sample = true, .num_beams = 2}}) {
    EXPECT_THROW(generator.generate(std::vector<TokenIds>{TokenIds{9}}, config), UserError);
  }
}

TEST(SamplingDistribution, IsTheSoftmaxOfWhatTheFiltersLeave) {
  const std::vector<float> logits = {0, 1, 2, 3};
  const auto p = [&](const GenerationConfig& config) { return sampling_distribution(logits, config); };
  const auto plain = p({.top_k = 0});
  double sum = 0;
  for (int i = 0; i < 4; ++i) sum += std::exp(i);
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(plain[i], std::exp(static_cast<double>(i)) / sum, 1e-12);
  EXPECT_NEAR(p({.temperature = 0.5, .top_k = 0})[3] / p({.temperature = 0.5, .top_k = 0})[2], std::exp(2.0), 1e-9);
  const auto two = p({.top_k = 2});
  EXPECT_EQ(two[1], 0);
  EXPECT_NEAR(two[3], 1 / (1 + std::exp(-1.0)), 1e-12);
  // 0.644 + 0.237 = 0.881 is the first sum that reaches 0.7.
  EXPECT_EQ(p({.top_p = 0.7})[1], 0);
  EXPECT_GT(p({.top_p = 0.7})[2], 0);
  EXPECT_EQ(p({.top_p = 0.1})[3], 1) << "the most likely token always stays";
  EXPECT_EQ(p({.min_p = 0.2})[1], 0) << "exp(-2) is below 0.2";
  EXPECT_GT(p({.min_p = 0.2})[2], 0);
}

// Pearson's statistic over 20,000 draws: 9.49 is passed by one in twenty true samples with four degrees of freedom,
// 18.5 by one in a thousand; the draws are counted, so the test gives the same answer each time.
TEST(Draw, FollowsTheDistribution) {
  const std::vector<float> logits = {0, 0.5F, -1, 2, 1};
  const std::vector<double> p = sampling_distribution(logits, {.temperature = 1.3});
  constexpr int kDraws = 20000;
  std::vector<double> counts(p.size(), 0);
  RandomGenerator random({.seed = 1, .step = 2, .site = 3});
  for (int i = 0; i < kDraws; ++i) ++counts[static_cast<size_t>(draw(p, static_cast<double>(random.next_uniform())))];
  double statistic = 0;
  for (size_t i = 0; i < p.size(); ++i) statistic += std::pow(counts[i] - kDraws * p[i], 2) / (kDraws * p[i]);
  EXPECT_LT(statistic, 18.5);
  EXPECT_EQ(draw(std::vector<double>{0.5, 0, 0.5, 0}, 0.99999999), 2) << "never a token of probability 0";
}

TEST(Repetition, DividesLogitsAboveZeroAndMultipliesThoseBelow) {
  std::vector<float> logits = {2, -2, 2, -2};
  penalise_repetition(logits, std::vector<int32_t>{0, 1, 0}, 2);
  EXPECT_EQ(logits, (std::vector<float>{1, -4, 2, -2}));
}

}  // namespace
}  // namespace suanli::infer

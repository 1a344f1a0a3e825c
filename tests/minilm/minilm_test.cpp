/// The real all-MiniLM-L6-v2 against PyTorch, transformers and sentence-transformers: tokens, hidden states, sentence
/// embeddings, loss, gradients and twenty training steps.
#include "minilm/minilm.h"

#include <fstream>

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "infer/engine.h"
#include "ops/initialize.h"
#include "text/tokenizer.h"
#include "train/golden_run.h"

namespace suanli {
namespace {

constexpr int32_t kSentences = 32;

// A layer sums at most 1536 terms: (4 + 2 sqrt(1536)) 2^-24 = 5e-6 (tests/tolerance.h), and the errors of six layers
// and of the other side add up as independent ones do: sqrt(12) 5e-6 = 2e-5, beside values of size 1. The promise is
// 1e-4.
constexpr double kSumTolerance = 2e-5;

class MiniLm : public testing::Test {
 protected:
  void SetUp() override { initialize(); }
  const SafetensorsFile golden_ = minilm_golden();
};

std::vector<infer::TokenSequence> tokenized_sentences() {
  const Tokenizer tokenizer = Tokenizer::load(minilm_folder());
  std::ifstream file(minilm_golden_folder() / "sentences.txt");
  std::vector<infer::TokenSequence> out;
  for (std::string line; std::getline(file, line);) {
    const Encoding encoding = tokenizer.encode(line);
    out.push_back({encoding.ids, encoding.types});
  }
  return out;
}

TEST_F(MiniLm, TokensAreThoseOfTransformers) {
  const auto sentences = tokenized_sentences();
  const auto offsets = golden_.tensor("offsets").host<int32_t>();
  const Tensor ids = golden_.tensor("ids");
  ASSERT_EQ(sentences.size() + 1, offsets.size());
  for (size_t i = 0; i < sentences.size(); ++i) {
    const auto expected = ids.rows(offsets[i], offsets[i + 1]).host<int32_t>();
    EXPECT_EQ(sentences[i].ids, std::vector<int32_t>(expected.begin(), expected.end())) << "sentence " << i;
    EXPECT_EQ(sentences[i].types, std::vector<int32_t>(expected.size(), 0)) << "sentence " << i;
  }
}

// Rows of a LayerNorm, of size 1.
TEST_F(MiniLm, HiddenStatesAgree) {
  const models::Model model = models::load_model(minilm_folder(), {});
  const Tensor hidden = model.network->hidden_states(models::golden_batch(golden_, "", 0, kSentences), {});
  const auto rows = golden_.tensor("hidden_rows").host<int32_t>();
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto place = static_cast<int64_t>(i);
    EXPECT_LT(
        models::largest_difference(hidden.rows(rows[i], rows[i] + 1), golden_.tensor("hidden").rows(place, place + 1)),
        kSumTolerance)
        << "row " << rows[i];
  }
}

/// The smallest cosine between our embeddings and sentence-transformers' own.
double smallest_cosine(const SafetensorsFile& golden, DType dtype, bool int8 = false) {
  // Batches of at most 100 tokens: several, in another order than the sentences.
  const infer::Engine engine(models::load_model(minilm_folder(), {.matrix_dtype = dtype, .int8 = int8}),
                             {.dtype = dtype, .tokens_per_batch = 100, .pooling = {.mean = true, .normalize = true}});
  const auto ours = engine.run(tokenized_sentences(), infer::Output::embedding);
  const Tensor theirs = golden.tensor("embeddings");
  double smallest = 1;
  for (size_t i = 0; i < ours.size(); ++i) {
    const auto place = static_cast<int64_t>(i);
    const auto expected = theirs.rows(place, place + 1).host<float>();
    double product = 0, a = 0, b = 0;
    for (size_t h = 0; h < expected.size(); ++h) {
      product += static_cast<double>(ours[i][h]) * expected[h];
      a += static_cast<double>(ours[i][h]) * ours[i][h];
      b += static_cast<double>(expected[h]) * expected[h];
    }
    const double cosine = product / std::sqrt(a * b);
    if (!(cosine >= smallest)) smallest = cosine;
  }
  return ours.size() == kSentences ? smallest : 0;
}

// Errors of relative size e, in directions of their own, leave a cosine of 1 - e^2 / 2. f32: 2e-5 leaves 1 - 2e-10 (the
// promise is 0.99999). bf16: roundings by up to 2^-8 in six layers come to about 1e-2, which leaves 1 - 1e-4; the
// promise is 0.999.
TEST_F(MiniLm, SentenceEmbeddingsAgree) {
  EXPECT_GT(smallest_cosine(golden_, DType::f32), 1 - 1e-9);
  EXPECT_GT(smallest_cosine(golden_, DType::bf16), 0.999);
}

TEST_F(MiniLm, Int8SentenceEmbeddingsAgree) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const double cosine = smallest_cosine(golden_, dtype, true);
    EXPECT_GT(cosine, 0.98) << name_of(dtype);
    EXPECT_LT(cosine, 0.99999) << "8 bits leave a trace, " << name_of(dtype);
  }
}

/// Bytes that a model takes when it has answered twice: what kernels keep of constant weights is among them.
int64_t resident_bytes(const SafetensorsFile& golden, DType dtype, bool int8) {
  const NoGradient off;
  const int64_t before = backend({}).statistics().live_bytes;
  const models::Model model = models::load_model(minilm_folder(), {.matrix_dtype = dtype, .int8 = int8});
  for (int call = 0; call < 2; ++call) {
    model.network->hidden_states(models::golden_batch(golden, "", 0, 2), {.dtype = dtype});
  }
  return backend({}).statistics().live_bytes - before;
}

// 10.6 of 22.7 million parameters are in the encoder's layers: one byte each in place of two, and 1.2 MB at most of
// scales, sums and padded panels (AVX2).
TEST_F(MiniLm, Int8TakesTheBytesOfItsLayersOnce) {
  const int64_t bf16 = resident_bytes(golden_, DType::bf16, false), int8 = resident_bytes(golden_, DType::bf16, true);
  EXPECT_LT(int8, bf16 - 9'300'000) << "of " << bf16;
}

TEST_F(MiniLm, OnlyTheClassifierIsNew) {
  EXPECT_EQ(minilm_classifier().initialized, (std::vector<std::string>{"classifier.weight", "classifier.bias"}));
}

/// Sixteen elements of a gradient, the first of them the largest: each is right beside the largest.
void expect_sampled(const SafetensorsFile& golden, const std::string& name, const Tensor& ours) {
  const auto places = golden.tensor("grad_index/" + name).host<int32_t>();
  const auto expected = golden.tensor("grad_sample/" + name).host<float>();
  const double largest = std::abs(expected[0]);
  for (size_t i = 0; i < places.size(); ++i) {
    EXPECT_NEAR(ours.host<float>()[static_cast<size_t>(places[i])], expected[i], kSumTolerance * largest)
        << name << " at " << places[i];
  }
}

TEST_F(MiniLm, LossAndEveryGradientAgree) {
  const models::Model model = minilm_classifier();
  const Tensor logits = model.network->sequence_logits(models::golden_batch(golden_, "", 0, kSentences), {});
  const Tensor loss = ops::cross_entropy(logits, golden_.tensor("labels"));
  EXPECT_LT(models::largest_difference(logits, golden_.tensor("logits")), kSumTolerance);
  EXPECT_NEAR(loss.host<float>()[0], golden_.tensor("loss").host<float>()[0], kSumTolerance);
  backward(loss);

  size_t compared = 0;
  for (const nn::Parameter& parameter : model.parameters->all()) {
    ASSERT_TRUE(gradient_of(parameter.value).defined()) << parameter.name;
    for (const auto& [name, ours] : models::named_gradients(model, parameter, gradient_of(parameter.value))) {
      ASSERT_NE(golden_.find("grad_norm/" + name), nullptr) << name;
      const double expected = golden_.tensor("grad_norm/" + name).host<float>()[0];
      ++compared;
      // Softmax does not see a constant added to a row of scores: a key bias has gradient 0 up to rounding.
      if (name.ends_with("key.bias")) {
        EXPECT_LT(models::norm(ours), 1e-6) << name;
        continue;
      }
      EXPECT_NEAR(models::norm(ours), expected, kSumTolerance * expected) << name;
      expect_sampled(golden_, name, ours);
    }
  }
  size_t stored = 0;
  for (const auto& entry : golden_.entries()) stored += entry.name.starts_with("grad_norm/") ? 1 : 0;
  EXPECT_EQ(compared, stored) << "every gradient of the golden file has its parameter here";
}

TEST_F(MiniLm, TwentyTrainingStepsFollowPyTorch) {
  const models::Model model = minilm_classifier();
  const Tensor order = golden_.tensor("train/order"), labels = golden_.tensor("labels");
  const GoldenRun run = golden_run(model, {.learning_rate = 1e-4, .weight_decay = 0.01}, [&](int32_t step) {
    const auto chosen = order.rows(step, step + 1).host<int32_t>();
    std::vector<int32_t> chosen_labels;
    for (const int32_t i : chosen) chosen_labels.push_back(labels.host<int32_t>()[static_cast<size_t>(i)]);
    const auto batch = models::golden_batch(golden_, "", chosen);
    return ops::cross_entropy(model.network->sequence_logits(batch, {}),
                              Tensor::from(chosen_labels, {static_cast<int64_t>(chosen.size())}));
  });
  expect_golden_run(run, golden_, "train");
}

}  // namespace
}  // namespace suanli

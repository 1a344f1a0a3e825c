// Each task turns examples into the right targets, and its loss is the mean over the right items.
#include "train/task.h"

#include <cmath>

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "base/error.h"
#include "ops/initialize.h"
#include "optim/gradients.h"
#include "tiny_run.h"

namespace suanli {
namespace {

/// A task with a model of its own.
struct Made {
  Made(const std::string& name, const std::string& problem_type, std::vector<std::string> names,
       TaskOptions options = {}) {
    initialize();
    const TaskKind kind = task_kind(name, problem_type, Json::object());
    const bool number = kind.labels == LabelKind::score;
    model = models::new_model(tiny_config(), {.head = kind.head,
                                              .labels = number ? std::vector<std::string>{"LABEL_0"} : names,
                                              .problem_type = kind.problem_type,
                                              .seed = 3,
                                              .trainable = true,
                                              .matrix_dtype = DType::f32,
                                              .device = {}});
    options.max_length = 12;
    task = make_task(kind, model, tiny_tokenizer(), LabelTable::from_names(std::move(names)), options);
  }
  double loss(const Batch& batch, double normalizer) const {
    return task->loss(task->inputs(batch), {.training = false}, normalizer).host<float>()[0];
  }
  models::Model model;
  std::unique_ptr<Task> task;
};

Example text(const std::string& content, std::vector<std::string> labels, double score = 0) {
  Example example;
  example.text = content;
  example.labels = std::move(labels);
  example.score = score;
  return example;
}

Example words(std::vector<std::string> content, std::vector<std::string> labels) {
  Example example;
  example.words = std::move(content);
  example.labels = std::move(labels);
  return example;
}

Example pair(const std::string& first, const std::string& second, double score) {
  Example example = text(first, {}, score);
  example.text_pair = second;
  example.has_pair = true;
  return example;
}

/// The loss over a batch is the mean of the losses of its parts, weighted by their items: what accumulation relies on.
void expect_parts_add_up(const Made& made, const std::vector<EncodedExample>& rows) {
  const Batch whole = pack(rows);
  const auto items = static_cast<double>(made.task->items(whole));
  double sum = 0, counted = 0;
  for (const EncodedExample& row : rows) {
    const Batch one = pack({&row, 1});
    const auto part = static_cast<double>(made.task->items(one));
    if (part > 0) sum += made.loss(one, part) * part;
    counted += part;
  }
  EXPECT_EQ(counted, items);
  // f32 losses near 1 summed over a handful of items in another order.
  EXPECT_NEAR(made.loss(whole, items), sum / items, 1e-5);
}

TEST(Tasks, ClassesMultiHotRowsAndScoresBecomeTargets) {
  const Made single("text-classification", "", {"no", "yes"});
  EXPECT_EQ(single.task->encode(text("a b", {"yes"}), "f:1").targets, std::vector<float>{1});
  const Made multi("text-classification", "multi_label_classification", {"x", "y", "z"});
  EXPECT_EQ(multi.task->encode(text("a", {"z", "x"}), "f:1").targets, (std::vector<float>{1, 0, 1}));
  const Made number("regression", "", {});
  EXPECT_EQ(number.task->encode(text("a", {}, 2.5), "f:1").targets, std::vector<float>{2.5F});
}

TEST(Tasks, AnUnknownLabelIsRefusedWithItsPlace) {
  const Made made("text-classification", "", {"no", "yes"});
  try {
    made.task->encode(text("a", {"yess"}), "train.csv:7");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("train.csv:7"), std::string::npos);
  }
}

TEST(Tasks, LossesOfPartsAddUpToTheLossOfTheWhole) {
  const Made single("text-classification", "", {"no", "yes"});
  expect_parts_add_up(single,
                      {single.task->encode(text("a b c", {"yes"}), ""), single.task->encode(text("d", {"no"}), "")});
  const Made multi("text-classification", "multi_label_classification", {"x", "y", "z"});
  expect_parts_add_up(multi, {multi.task->encode(text("a b", {"z", "x"}), ""), multi.task->encode(text("c", {}), "")});
  const Made number("regression", "", {});
  expect_parts_add_up(number,
                      {number.task->encode(text("a", {}, 2), ""), number.task->encode(text("b c", {}, -1), "")});
  const Made tags("token-classification", "", {"B-X", "I-X", "O"});
  expect_parts_add_up(tags, {tags.task->encode(words({"a", "b", "c"}, {"O", "B-X", "I-X"}), ""),
                             tags.task->encode(words({"d"}, {"O"}), "")});
  const Made similarity("sentence-similarity", "", {});
  expect_parts_add_up(similarity, {similarity.task->encode(pair("a b", "c", 0.5), ""),
                                   similarity.task->encode(pair("d", "e f g", -1), "")});
}

TEST(Tasks, AccumulatedGradientsAreThoseOfOneBatch) {
  const Made tags("token-classification", "", {"B-X", "I-X", "O"});
  const std::vector<EncodedExample> rows = {
      tags.task->encode(words({"a", "b", "c", "d"}, {"O", "B-X", "I-X", "O"}), ""),
      tags.task->encode(words({"d"}, {"O"}), "")};
  const std::span<const nn::Parameter> parameters = tags.model.parameters->all();
  const auto gradients = [&](const std::vector<Batch>& batches) {
    for (const Batch& batch : batches) backward(tags.task->loss(tags.task->inputs(batch), {.training = false}, 5));
    std::vector<float> all;
    for (const nn::Parameter& p : parameters) {
      const auto values = gradient_of(p.value).host<float>();
      all.insert(all.end(), values.begin(), values.end());
    }
    optim::clear_gradients(parameters);
    return all;
  };
  const auto whole = gradients({pack(rows)}), parts = gradients({pack({&rows[0], 1}), pack({&rows[1], 1})});
  double difference = 0, norm = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    difference += std::pow(whole[i] - parts[i], 2);
    norm += std::pow(whole[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / norm), 1e-5) << "f32 sums in another order";
}

TEST(Tasks, OnlyFirstTokensOfWordsAreLabelled) {
  const Made tags("token-classification", "", {"B-X", "O"});
  const EncodedExample row = tags.task->encode(words({"a", "b"}, {"B-X", "O"}), "");
  EXPECT_EQ(row.labels, (std::vector<int32_t>{kIgnoredLabel, 0, 1, kIgnoredLabel})) << "[CLS] a b [SEP]";
  EXPECT_THROW(tags.task->encode(words({"a", "b"}, {"O"}), "f:1"), UserError);
}

TEST(Tasks, SimilarityEmbedsBothTextsAlone) {
  // The cosine of a text with itself is 1 whatever the model: the halves share nothing.
  const Made made("sentence-similarity", "", {});
  const EncodedExample row = made.task->encode(pair("a b c", "a b c", 1), "");
  EXPECT_NEAR(made.loss(pack({&row, 1}), 1), 0, 1e-10) << "f32: (1 - 1 + 1e-6)^2";
  EXPECT_THROW(made.task->encode(text("a", {}), "f:1"), UserError);
}

TEST(Tasks, MaskingIsDrawnAnewEachEpochAndTheSameForTheSame) {
  const Made made("masked-lm", "", {}, {.mlm_probability = 0.5, .seed = 1});
  const EncodedExample row = made.task->encode(text("a b c d e f g h", {}), "");
  const EncodedExample first = made.task->draw(row, 0), again = made.task->draw(row, 0),
                       other = made.task->draw(row, 1);
  EXPECT_EQ(first.ids, again.ids);
  EXPECT_NE(first.labels, other.labels);
  EXPECT_EQ(
      made.task->items(pack({&first, 1})),
      static_cast<int64_t>(first.labels.size()) - std::count(first.labels.begin(), first.labels.end(), kIgnoredLabel));
}

TEST(Tasks, RunningTextIsCutIntoBlocks) {
  const Made made("masked-lm", "", {}, {.block_size = 4});
  const auto blocks =
      made.task->arrange({made.task->encode(text("a b c", {}), ""), made.task->encode(text("d e f", {}), "")});
  ASSERT_EQ(blocks.size(), 2U) << "ten tokens with [CLS] and [SEP]: two blocks of four, the rest dropped";
  EXPECT_EQ(blocks[0].ids.size(), 4U);
}

TEST(Tasks, TheKindComesFromTheModelWhereItIsNotNamed) {
  EXPECT_EQ(task_kind("", "", {{"architectures", {"BertForMaskedLM"}}}).name, "masked-lm");
  const Json regression = {{"architectures", {"BertForSequenceClassification"}}, {"problem_type", "regression"}};
  EXPECT_EQ(task_kind("", "", regression).labels, LabelKind::score);
  EXPECT_THROW(task_kind("", "", {{"architectures", {"BertModel"}}}), UserError);
  EXPECT_THROW(task_kind("translation", "", Json::object()), UserError);
}

TEST(Tasks, ScorersCountWhatTheyAreGiven) {
  const Made made("text-classification", "", {"no", "yes"});
  const auto scorer = made.task->scorer(true);
  const std::vector<EncodedExample> rows = {made.task->encode(text("a", {"yes"}), ""),
                                            made.task->encode(text("b", {"no"}), "")};
  scorer->add(pack(rows), {});
  const double loss = made.loss(pack(rows), 2);
  EXPECT_NEAR(scorer->scores()[0].second, loss, 1e-6);
  EXPECT_EQ(scorer->predictions().size(), 2U);
  EXPECT_NE(scorer->report().find("truth"), std::string::npos);
}

// Every token but the first of a sequence is predicted, from a network that sees none of what follows.
TEST(CausalLm, LossIsTheMeanOverAllTokensThatHaveOneBefore) {
  initialize();
  const Json config = {{"model_type", "llama"},    {"vocab_size", 16},
                       {"hidden_size", 8},         {"num_hidden_layers", 1},
                       {"num_attention_heads", 2}, {"num_key_value_heads", 1},
                       {"intermediate_size", 12},  {"max_position_embeddings", 16}};
  const TaskKind kind = task_kind("causal-lm", "", Json::object());
  const models::Model model = models::new_model(config, {.head = kind.head, .seed = 3, .trainable = true});
  const auto task = make_task(kind, model, tiny_tokenizer(), {}, {.max_length = 12});
  std::vector<EncodedExample> examples;
  for (const char* text : {"a b c", "d", "e f g h"}) {
    Example example;
    example.text = text;
    examples.push_back(task->encode(example, "test"));
  }
  const Batch batch = pack(examples);
  EXPECT_EQ(task->items(batch), batch.tokens() - 3);
  const LossInputs inputs = task->inputs(batch);
  EXPECT_EQ(inputs.labels.dim(0), task->items(batch));
  EXPECT_EQ(inputs.labels.host<int32_t>()[0], batch.ids[1]);
  // With small random weights all 16 tokens are about as likely.
  const double items = static_cast<double>(task->items(batch));
  const Tensor loss = task->loss(inputs, {}, items);
  EXPECT_NEAR(loss.host<float>()[0], std::log(16.0), 0.05);
  backward(loss);
  const auto scorer = task->scorer(false);
  scorer->add(batch, {});
  EXPECT_NEAR(scorer->scores()[0].second, loss.host<float>()[0], 1e-5);
}

}  // namespace
}  // namespace suanli

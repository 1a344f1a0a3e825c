// Sentence retrieval: the loss over a batch, ranks among all documents, and what training changes.
#include "train/retrieval_metrics.h"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "expect_error.h"
#include "optim/optimizer.h"
#include "tiny_run.h"
#include "train/sentence_pairs.h"
#include "train/train_step.h"

namespace suanli {
namespace {

// Worked by hand: cosines of query (1,0) with the documents are 1, 0.6, 0; of (0,1) 0, 0.8, 1.
TEST(Retrieval, RanksCountTheDocumentsOfHigherCosine) {
  initialize();
  const std::vector<float> queries = {1, 0, 0, 1}, documents = {1, 0, 0.6F, 0.8F, 0, 1};
  EXPECT_EQ(ranks_of(queries, documents, 2, std::vector<int64_t>{0, 0}), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(ranks_of(queries, documents, 2, std::vector<int64_t>{1, 1}), (std::vector<int64_t>{2, 2}));
}

TEST(Retrieval, OfEqualDocumentsHalfStandBefore) {
  initialize();
  const std::vector<float> query = {1, 0}, documents = {1, 0, 1, 0, 1, 0};  // a model that tells nothing apart
  EXPECT_EQ(ranks_of(query, documents, 2, std::vector<int64_t>{0}), (std::vector<int64_t>{2}));
}

TEST(Retrieval, ScoresAreThoseOfTheRanks) {
  const Scores scores = retrieval_scores(std::vector<int64_t>{1, 3, 7, 40});
  EXPECT_DOUBLE_EQ(*find_score(scores, "recall@1"), 0.25);
  EXPECT_DOUBLE_EQ(*find_score(scores, "recall@5"), 0.5);
  EXPECT_DOUBLE_EQ(*find_score(scores, "recall@10"), 0.75);
  EXPECT_DOUBLE_EQ(*find_score(scores, "mrr@10"), (1 + 1.0 / 3 + 1.0 / 7) / 4);
  EXPECT_DOUBLE_EQ(*find_score(scores, "ndcg@10"), (1 + 1 / 2.0 + 1 / 3.0) / 4);
}

/// Pairs of which the second says the letters of the first in another order.
struct Pairs {
  Pairs() : tokenizer(tiny_tokenizer()), kind(task_kind("sentence-retrieval", "", Json::object())) {
    initialize();
    model = models::new_model(tiny_config(), {.head = kind.head, .seed = 5, .trainable = true});
    task = make_task(kind, model, tokenizer, {}, {.max_length = 12});
    for (const auto& [first, second] : std::vector<std::pair<const char*, const char*>>{
             {"a b", "b a"}, {"c d e", "e d c"}, {"f", "f f"}, {"g h i", "i g h"}, {"j k", "k j"}}) {
      Example example;
      example.text = first;
      example.text_pair = second;
      example.has_pair = true;
      rows.push_back(task->encode(example, "made-up"));
      rows.back().row = static_cast<int64_t>(rows.size()) - 1;
    }
  }
  Tokenizer tokenizer;
  TaskKind kind;
  models::Model model;
  std::unique_ptr<Task> task;
  std::vector<EncodedExample> rows;
};

TEST(Retrieval, TheLossIsTheCrossEntropyAmongTheDocumentsOfTheBatch) {
  const Pairs made;
  const Batch batch = pack(made.rows);
  const TaskParts parts = {&made.model, made.tokenizer, {}, made.kind, {.max_length = 12}};
  const LossInputs inputs = made.task->inputs(batch);
  const PairEmbeddings pairs = pair_embeddings(parts, inputs, {});
  const auto u = pairs.first.host<float>(), v = pairs.second.host<float>();
  double loss = 0;
  for (size_t i = 0; i < 5; ++i) {
    double sum = 0, own = 0;
    for (size_t j = 0; j < 5; ++j) {
      double cosine = 0;
      for (size_t h = 0; h < 8; ++h) cosine += static_cast<double>(u[i * 8 + h]) * static_cast<double>(v[j * 8 + h]);
      sum += std::exp(20 * cosine);
      if (i == j) own = 20 * cosine;
    }
    loss += (std::log(sum) - own) / 5;
  }
  EXPECT_EQ(made.task->items(batch), 5);
  // Cosines are f32 sums of 8 products, 5e-7 off at most; the loss is 20 times as steep.
  EXPECT_NEAR(number_of(made.task->loss(inputs, {}, 5)), loss, 2e-5);
}

TEST(Retrieval, TrainingBringsQueriesToTheirDocuments) {
  const Pairs made;
  const Batch batch = pack(made.rows);
  const auto recall = [&] {
    const auto scorer = made.task->scorer(true);
    scorer->add(batch, {});
    EXPECT_EQ(scorer->predictions().size(), 5U);
    return *find_score(scorer->scores(), "recall@1");
  };
  const double before = recall();
  const auto optimizer = optim::adamw(made.model.parameters->all(), {});
  for (uint32_t step = 0; step < 40; ++step) {
    train_step(*made.task, {&batch, 1}, made.model, *optimizer,
               {.learning_rate = 0.01, .seed = 1, .first_micro_step = step});
  }
  EXPECT_LT(before, 1);
  EXPECT_EQ(recall(), 1);
}

// Two queries of one document: it counts once, and both may find it.
TEST(Retrieval, EqualDocumentsAreOne) {
  const Pairs made;
  std::vector<EncodedExample> rows = {made.rows[0], made.rows[0], made.rows[1]};
  const auto scorer = made.task->scorer(true);
  scorer->add(pack({rows.data(), 1}), {});
  scorer->add(pack({rows.data() + 1, 2}), {});
  for (const auto& [row, rank] : scorer->predictions()) EXPECT_LE(std::stoi(rank), 2) << "of two documents";
}

TEST(Retrieval, APairIsNeeded) {
  const Pairs made;
  Example alone;
  alone.text = "a";
  EXPECT_THROW(made.task->encode(alone, "f:1"), UserError);
}

/// Triplets whose negatives are other letters.
struct Triplets {
  Triplets() : kind(task_kind("sentence-retrieval", "", Json::object())) {
    initialize();
    model = models::new_model(tiny_config(), {.head = kind.head, .seed = 5, .trainable = true});
    task = make_task(kind, model, tiny_tokenizer(), {}, {.max_length = 12, .triplets = true, .triplet_margin = 0.5});
    for (const auto& [first, second, other] : std::vector<std::array<const char*, 3>>{
             {"a b", "b a", "f g h"}, {"c d e", "e d c", "i"}, {"f", "f f", "a b c d"}, {"g h i", "i g h", "b b"}}) {
      Example example;
      example.text = first;
      example.text_pair = second;
      example.has_pair = true;
      example.negative = other;
      rows.push_back(task->encode(example, "made-up"));
      rows.back().row = static_cast<int64_t>(rows.size()) - 1;
    }
  }
  TaskKind kind;
  models::Model model;
  std::unique_ptr<Task> task;
  std::vector<EncodedExample> rows;
};

// By the formula, from the embeddings of each text alone.
TEST(Triplets, TheLossIsThatOfItsFormula) {
  Triplets made;
  const TaskParts parts = {&made.model, tiny_tokenizer(), {}, made.kind, {.max_length = 12}};
  const Batch batch = pack(made.rows);
  const LossInputs inputs = made.task->inputs(batch);
  const nn::Mode mode = {.training = false};
  double expected = 0, nearer = 0;
  for (const EncodedExample& row : made.rows) {
    std::vector<std::vector<float>> units;
    for (int32_t text = 0; text < 3; ++text) {
      EncodedExample alone;
      for (size_t t = 0; t < row.ids.size(); ++t) {
        if (row.labels[t] != text) continue;
        alone.ids.push_back(row.ids[t]);
        alone.types.push_back(row.types[t]);
        alone.special.push_back(row.special[t]);
      }
      units.push_back(host_values(unit_embeddings(parts, tokens_of(pack({&alone, 1})), mode)));
    }
    double near = 0, far = 0;
    for (size_t i = 0; i < units[0].size(); ++i) {
      near += static_cast<double>(units[0][i]) * static_cast<double>(units[1][i]);
      far += static_cast<double>(units[0][i]) * static_cast<double>(units[2][i]);
    }
    expected += std::max(far - near + 0.5, 0.0) / static_cast<double>(made.rows.size());
    nearer += near > far ? 1 : 0;
  }
  const Tensor loss = made.task->loss(inputs, mode, static_cast<double>(batch.size()));
  EXPECT_NEAR(number_of(loss), expected, 1e-5);  // f32 cosines of eight numbers
  const auto scorer = made.task->scorer(false);
  scorer->add(batch, mode);
  EXPECT_NEAR(*find_score(scorer->scores(), "loss"), expected, 1e-5);
  EXPECT_DOUBLE_EQ(*find_score(scorer->scores(), "cosine_accuracy"), nearer / 4);
}

TEST(Triplets, TrainingBringsThePositiveNearer) {
  Triplets made;
  const Batch batch = pack(made.rows);
  const auto optimizer = optim::adamw(made.model.parameters->trained(), {});
  const auto score = [&](const char* name) {
    const auto scorer = made.task->scorer(false);
    scorer->add(batch, {.training = false});
    return *find_score(scorer->scores(), name);
  };
  const double before = score("loss");
  for (int step = 0; step < 60; ++step) {
    train_step(*made.task, {&batch, 1}, made.model, *optimizer, {.learning_rate = 5e-3});
  }
  EXPECT_LT(score("loss"), 0.5 * before);
  EXPECT_EQ(score("cosine_accuracy"), 1);
}

TEST(Triplets, AnEmptyNegativeIsNamed) {
  Triplets made;
  Example example;
  example.text = example.text_pair = "a";
  example.has_pair = true;
  EXPECT_NE(error_of([&] { made.task->encode(example, "file.csv:7"); }).find("file.csv:7"), std::string::npos);
}

}  // namespace
}  // namespace suanli

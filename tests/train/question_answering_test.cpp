// Question answering: logits, loss and gradients of transformers; windows, targets and scores of SQuAD.
#include "train/question_answering.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "autograd/tape.h"
#include "expect_error.h"
#include "models/golden.h"
#include "ops/initialize.h"

namespace suanli {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(SUANLI_TESTS_DIR) / "golden/models";

struct TemporaryFile {
  explicit TemporaryFile(const std::string& name, const std::string& content)
      : path(fs::temp_directory_path() / ("suanli_question_" + std::to_string(getpid()) + "_" + name)) {
    std::ofstream(path) << content;
  }
  ~TemporaryFile() { fs::remove(path); }
  fs::path path;
};

class QuestionGolden : public testing::TestWithParam<const char*> {};

TEST_P(QuestionGolden, LogitsLossAndEveryGradientAgree) {
  initialize();
  const fs::path folder = kGolden / GetParam() / "question-answering";
  const models::Model model = models::load_model(
      folder, {.head = models::Head::question_answering, .trainable = true, .device = test_device()});
  EXPECT_TRUE(model.initialized.empty());
  EXPECT_TRUE(model.unused.empty());
  const SafetensorsFile golden = SafetensorsFile::open(folder / "golden.safetensors");
  const Tensor ids = golden.tensor("ids"), types = golden.tensor("types"), offsets = golden.tensor("offsets"),
               labels = golden.tensor("labels");
  std::vector<EncodedExample> rows;
  for (size_t b = 0; b + 1 < offsets.host<int32_t>().size(); ++b) {
    const auto begin = offsets.host<int32_t>()[b], end = offsets.host<int32_t>()[b + 1];
    EncodedExample& row = rows.emplace_back();
    row.ids.assign(ids.host<int32_t>().begin() + begin, ids.host<int32_t>().begin() + end);
    row.types.assign(types.host<int32_t>().begin() + begin, types.host<int32_t>().begin() + end);
    row.targets = {static_cast<float>(labels.host<int32_t>()[2 * b]),
                   static_cast<float>(labels.host<int32_t>()[2 * b + 1])};
  }
  const QuestionAnswering task(model, Tokenizer::load(kGolden / "question_pipeline"), {.windows = {.max_length = 12}});
  const LossInputs inputs = task.inputs(pack(rows));
  const Tensor logits = task.logits(inputs, {});
  EXPECT_LT(models::largest_difference(logits, golden.tensor("logits")), 2e-5);  // as of the other heads
  const Tensor loss = task.loss_of(logits, inputs, 3);
  EXPECT_NEAR(loss.to({}).host<float>()[0], golden.tensor("loss").host<float>()[0], 1e-5);
  backward(loss);
  size_t compared = 0, stored = 0;
  for (const nn::Parameter& parameter : model.parameters->all()) {
    for (const auto& [name, ours] : models::named_gradients(model, parameter, gradient_of(parameter.value))) {
      const Tensor expected = golden.tensor("grad/" + name);
      ++compared;
      // Softmax does not see a constant added to all of its inputs: gradients that are 0 up to rounding.
      if (models::norm(expected) < 1e-6) {
        EXPECT_LT(models::norm(ours), 1e-6) << name;
      } else {
        EXPECT_LT(models::relative_distance(ours, expected), 1e-4) << name;
      }
    }
  }
  for (const auto& entry : golden.entries()) stored += entry.name.starts_with("grad/") ? 1 : 0;
  EXPECT_EQ(compared, stored);
}

INSTANTIATE_TEST_SUITE_P(Families, QuestionGolden, testing::Values("bert", "roberta", "distilbert"));

TEST(QuestionAnsweringFolder, IsTheOneThatTransformersWrites) {
  initialize();
  const fs::path folder = kGolden / "bert/question-answering";
  const models::Model model = models::load_model(folder, {.head = models::Head::question_answering});
  const Json config = models::config_json(*model.family, model.head);
  EXPECT_EQ(config["architectures"], Json({"BertForQuestionAnswering"}));
  const SafetensorsFile theirs = SafetensorsFile::open(folder / "model.safetensors");
  size_t count = 0;
  for (const NamedTensor& tensor : models::hugging_face_tensors(model)) {
    ASSERT_NE(theirs.find(tensor.name), nullptr) << tensor.name;
    EXPECT_EQ(models::largest_difference(tensor.tensor, theirs.tensor(tensor.name)), 0) << tensor.name;
    ++count;
  }
  EXPECT_EQ(count, theirs.entries().size());
}

// What SQuAD's evaluate-v2.0.py gives for these.
TEST(SquadScores, NormaliseAsTheOfficialScript) {
  EXPECT_EQ(normalized_answer("The  Quick, brown-fox!  An a"), "quick brownfox");
  EXPECT_EQ(normalized_answer("theatre and a.b"), "theatre and ab");
  EXPECT_EQ(exact_match("the Tower", "tower."), 1);
  EXPECT_EQ(exact_match("", "the"), 1);
  EXPECT_DOUBLE_EQ(answer_f1("the red tower", "red big tower tower"), 2.0 * 2 / (2 + 4));
  EXPECT_EQ(answer_f1("", ""), 1);
  EXPECT_EQ(answer_f1("x", ""), 0);
}

TEST(QuestionWindows, CoverTheContextAndShareTheStride) {
  const Tokenizer tokenizer = Tokenizer::load(kGolden / "question_pipeline");
  std::string context;
  for (int i = 0; i < 30; ++i) context += i % 3 == 0 ? "londontown " : "paris ";
  const auto windows = question_windows(tokenizer, "who was born ?", context, {.max_length = 20, .doc_stride = 5});
  // 40 tokens of context, 7 others a window: 13 each, 8 new ones.
  ASSERT_EQ(windows.size(), 5u);
  for (size_t w = 0; w < windows.size(); ++w) {
    EXPECT_EQ(windows[w].ids.size(), w + 1 < windows.size() ? 20u : 7 + 40 - 4 * 8u);
    EXPECT_EQ(windows[w].ids.front(), *tokenizer.special_ids().cls);
    EXPECT_EQ(windows[w].ids.back(), *tokenizer.special_ids().sep);
    EXPECT_EQ(windows[w].types[windows[w].first], 1);
    if (w == 0) continue;
    EXPECT_EQ(windows[w].offsets.front(), windows[w - 1].offsets[8]);
    EXPECT_EQ(windows[w].offsets[4], windows[w - 1].offsets.back());
  }
  EXPECT_EQ(windows[0].words[1], (std::pair<uint32_t, uint32_t>{0, 10})) << "the second piece of londontown";
  // The answer in its window, and nowhere else.
  EXPECT_EQ(answer_tokens(windows[0], 11, 22).start, static_cast<int32_t>(windows[0].first + 2));
  EXPECT_EQ(answer_tokens(windows[0], 11, 22).end, static_cast<int32_t>(windows[0].first + 3));
  EXPECT_EQ(answer_tokens(windows[4], 11, 22).end, 0);
  EXPECT_EQ(answer_tokens(windows[0], 11, 220).end, 0);
  EXPECT_NE(error_of([&] {
              question_windows(tokenizer, context, context, {.max_length = 20, .doc_stride = 5});
            }).find("leaves room"),
            std::string::npos);
  EXPECT_NE(error_of([&] { question_windows(tokenizer, "who ?", "", {}); }).find("not empty"), std::string::npos);
}

TEST(ReadQuestions, TakesSquadAndBothFormsOfLines) {
  const std::string answers = R"([{"text":"café","answer_start":2}])";
  const TemporaryFile squad("squad.json", R"({"version":"v2.0","data":[{"title":"t","paragraphs":[{"context":"A café.",
    "qas":[{"id":"1","question":"what ?","answers":)" +
                                              answers + R"(,"is_impossible":false},
           {"id":"2","question":"who ?","answers":[],"is_impossible":true}]}]}]})");
  const TemporaryFile lines("lines.jsonl", R"({"question":"what ?","context":"A café.","answers":)" + answers + R"(}
{"question":"what ?","context":"A café.","answers":{"text":["café"],"answer_start":[2]}}
{"question":"who ?","context":"A café."}
)");
  const auto first = read_questions(squad.path, OnBadRow::error), second = read_questions(lines.path, OnBadRow::error);
  ASSERT_EQ(first.size(), 2u);
  ASSERT_EQ(second.size(), 3u);
  for (const auto* each : {&first[0], &second[0], &second[1]}) {
    ASSERT_EQ(each->answers.size(), 1u);
    EXPECT_EQ(each->answers[0].end, 6u);
  }
  EXPECT_TRUE(first[1].answers.empty());
  EXPECT_EQ(first[1].id, "2");

  const TemporaryFile wrong("wrong.jsonl", R"({"question":"what ?","context":"A café.","answers":)" + answers + R"(}
{"question":"q","context":"abc","answers":{"text":["b"],"answer_start":[2]}}
)");
  EXPECT_NE(error_of([&] { read_questions(wrong.path, OnBadRow::error); }).find("code point 2"), std::string::npos);
  EXPECT_EQ(read_questions(wrong.path, OnBadRow::skip).size(), 1u);
}

TEST(QuestionScorer, PutsWindowsTogetherAndTakesTheBestTruth) {
  initialize();
  const fs::path folder = kGolden / "question_pipeline";
  const models::Model model = models::load_model(folder, {.head = models::Head::question_answering});
  QuestionAnswering task(model, Tokenizer::load(folder), {.windows = {.max_length = 32, .doc_stride = 8}});
  const Json golden = read_json(folder / "answers.json");
  std::vector<QuestionExample> questions;
  for (const Json& each : golden["cases"]) {
    QuestionExample& question = questions.emplace_back();
    question.question = each["question"];
    question.context = each["context"];
    // The pipeline's own answer is the truth of all but the first, whose truths share words with it.
    const auto answer = each["answers"][0]["answer"].get<std::string>();
    if (questions.size() == 1) {
      question.answers = {{"Anna", 0, 4}, {"Bob", 24, 27}};
      EXPECT_EQ(answer, "Bob was");
    } else {
      question.answers = {{answer, each["answers"][0]["start"], each["answers"][0]["end"]}};
    }
  }
  const auto rows = task.add(questions);
  EXPECT_GT(rows.size(), questions.size());
  const auto scorer = task.scorer(true);
  for (size_t begin = 0; begin < rows.size(); begin += 2) {  // windows of one question in several batches
    scorer->add(pack(std::span(rows).subspan(begin, std::min<size_t>(2, rows.size() - begin))), {});
  }
  const auto count = static_cast<double>(questions.size());
  EXPECT_NEAR(*find_score(scorer->scores(), "exact_match"), 100 * (count - 1) / count, 1e-9);
  EXPECT_NEAR(*find_score(scorer->scores(), "f1"), 100 * (count - 1 + 2.0 / 3) / count, 1e-9);
  EXPECT_EQ(scorer->predictions().size(), questions.size());
}

}  // namespace
}  // namespace suanli

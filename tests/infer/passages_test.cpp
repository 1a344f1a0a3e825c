// Answers to questions are those of transformers' pipeline: texts, places and scores.
#include "infer/passages.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "infer/predictions.h"

namespace suanli::infer {
namespace {

TEST(Passages, AnswersAreThoseOfTransformersPipeline) {
  const auto folder = std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models/question_pipeline";
  const TextModel model = load_text_model(folder, {.head = models::Head::question_answering});
  EXPECT_EQ(question_window_length(model), 64);
  const Json golden = read_json(folder / "answers.json");
  size_t long_ones = 0, impossible = 0;
  for (const Json& each : golden["cases"]) {
    const std::vector<Passage> passages = {
        passage_of(model.tokenizer, each["question"].get<std::string>(), each["context"], {32, 8})};
    long_ones += passages[0].windows.size() > 1 ? 1 : 0;
    const auto rows = model.engine.run(window_sequences(passages), Output::span_logits);
    for (const bool or_none : {false, true}) {
      const auto answers = answers_in(passages[0], rows, {.top_k = 5, .handle_impossible_answer = or_none});
      const Json& expected = each[or_none ? "answers_or_none" : "answers"];
      ASSERT_EQ(answers.size(), expected.size());
      for (size_t i = 0; i < answers.size(); ++i) {
        EXPECT_EQ(answers[i].text, expected[i]["answer"]) << each["question"] << ' ' << i;
        EXPECT_EQ(answers[i].start, expected[i]["start"]);
        EXPECT_EQ(answers[i].end, expected[i]["end"]);
        EXPECT_NEAR(answers[i].score, expected[i]["score"], 1e-5);  // softmax of f32 logits that agree to 2e-5
        impossible += answers[i].text.empty() ? 1 : 0;
      }
    }
  }
  EXPECT_GE(long_ones, 2u);
}

TEST(Passages, AreWrittenAsThePipelineGivesThem) {
  const std::vector<AnswerSpan> answers = {{"a \"b\"", 0.5, 3, 8}, {"", 0.25, 0, 0}};
  std::string one, two;
  append_answers(one, std::span(answers).first(1), 1);
  append_answers(two, answers, 2);
  EXPECT_EQ(one, R"({"score": 0.5, "start": 3, "end": 8, "answer": "a \"b\""})");
  EXPECT_EQ(parse_json(two, "two").size(), 2u);
  EXPECT_EQ(parse_json(two, "two")[1]["answer"], "");
}

}  // namespace
}  // namespace suanli::infer

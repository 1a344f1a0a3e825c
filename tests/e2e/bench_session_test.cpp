/// `suanli bench session`: the protocol of bench/compare.sh, and that what it times is what the other verbs answer.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "base/json.h"
#include "e2e/program.h"

namespace suanli::e2e {
namespace {

std::vector<Json> session(const std::vector<Json>& requests) {
  std::string input;
  for (const Json& request : requests) input += request.dump() + "\n";
  const ProgramRun run = suanli("bench session", input);
  EXPECT_EQ(run.code, 0) << run.err;
  std::vector<Json> answers;
  std::istringstream lines(run.out);
  for (std::string line; std::getline(lines, line);) answers.push_back(Json::parse(line));
  EXPECT_EQ(answers.size(), requests.size());
  return answers;
}

Json open(const std::string& kind, const Json& work, const Json& more = Json::object()) {
  const auto file = scratch("session") / (kind + ".json");
  write(file, work.dump());
  Json request = {{"do", "open"},       {"kind", kind},          {"model", small_classifier().string()},
                  {"precision", "f32"}, {"work", file.string()}, {"max_length", 16}};
  request.update(more);
  return request;
}

const Json kAnswers = {{"do", "answers"}};
const Json kRun = {{"do", "run"}, {"first", 0}, {"count", 3}};

TEST(BenchSession, AnswersEachLineAndGoesOnAfterAMistake) {
  const auto answers = session({{{"do", "info"}},
                                {{"do", "fly"}},
                                kRun,
                                {{"do", "open"}, {"kind", "infer"}},
                                {{"do", "probe"}, {"seconds", 0.001}}});
  EXPECT_TRUE(answers[0].contains("version"));
  EXPECT_NE(answers[1]["error"].get<std::string>().find("fly"), std::string::npos);
  EXPECT_TRUE(answers[2].contains("error")) << "nothing is open";
  EXPECT_NE(answers[3]["error"].get<std::string>().find("precision"), std::string::npos) << answers[3];
  EXPECT_GT(answers[4]["f32"].get<double>(), 0);
}

TEST(BenchSession, TextsHaveTheVectorsOfEmbedAndTheirIdsToo) {
  const auto lines = suanli("embed --normalize true --model " + small_classifier().string(), "good film\nbad\n").out;
  const auto answers = session({open("embed", {{"texts", {"good film", "bad"}}}), kAnswers, kRun,
                                open("infer", {{"sequences", {{2, 5, 8, 3}, {2, 6, 3}}}}), kAnswers,
                                open("load", {{"sequences", {{2, 5, 8, 3}, {2, 6, 3}}}}), kAnswers,
                                open("tokenize", {{"texts", {"good film", "bad"}}}), kAnswers});
  std::istringstream embedded(lines);
  std::string line;
  for (size_t i = 0; std::getline(embedded, line); ++i) {
    const auto expected = Json::parse(line)["embedding"].get<std::vector<float>>();
    for (const size_t which : {1, 4, 6}) {
      const auto got = answers[which]["vectors"][i].get<std::vector<float>>();
      ASSERT_EQ(got.size(), expected.size());
      for (size_t h = 0; h < got.size(); ++h) EXPECT_NEAR(got[h], expected[h], 1e-6) << which;
    }
  }
  EXPECT_EQ(answers[2]["seconds"].size(), 3U);
  EXPECT_GT(answers[2]["peak_bytes"].get<int64_t>(), 1 << 20);
  EXPECT_EQ(answers[8]["ids"], Json::parse("[[2, 5, 8, 3], [2, 6, 3]]"));
}

TEST(BenchSession, TrainingLearnsAndTheOptimizerMovesTheWeights) {
  const Json work = Json::parse(R"({"batches": [{"sequences": [[2, 5, 8, 3], [2, 6, 3]], "labels": [0, 1]}]})");
  const Json unlabelled = Json::parse(R"({"batches": [{"sequences": [[2, 5, 3]], "labels": [0, 1]}]})");
  const Json task = {{"task", "text-classification"}};
  const auto answers =
      session({open("step", work, task), kRun, kAnswers, open("optimizer", work, task), kRun, kAnswers});
  const auto refused = session({open("step", unlabelled, task)});
  EXPECT_FALSE(answers[0].contains("error")) << answers[0];
  EXPECT_EQ(answers[1]["seconds"].size(), 3U);
  ASSERT_EQ(answers[2]["numbers"].size(), 3U);
  for (const Json& loss : answers[2]["numbers"]) EXPECT_TRUE(std::isfinite(loss.get<double>()));
  EXPECT_NE(answers[5]["numbers"][0], answers[5]["numbers"][1]);
  EXPECT_NE(refused[0]["error"].get<std::string>().find("labels"), std::string::npos) << refused[0];
}

}  // namespace
}  // namespace suanli::e2e

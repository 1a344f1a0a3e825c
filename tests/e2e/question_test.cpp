// Question answering from the command line: trained, evaluated and asked; what was asked wrongly is one message.
#include <gtest/gtest.h>

#include "base/json.h"
#include "e2e/program.h"

namespace suanli::e2e {
namespace {

namespace fs = std::filesystem;

const fs::path kModel = fs::path(SUANLI_TESTS_DIR) / "golden/models/question_pipeline";

/// Who was born in a place that comes up once among others; every fifth question has no answer.
std::string born_rows(int rows) {
  const std::string people[] = {"anna", "bob", "queen"}, places[] = {"paris", "london", "tower", "city"};
  std::string out;
  for (int i = 0; i < rows; ++i) {
    const std::string& person = people[i % 3];
    const std::string &asked = places[i % 4], &place = i % 5 == 4 ? places[(i + 1) % 4] : asked;
    const std::string before = i % 2 == 0 ? "the old river is big . " : "";
    const std::string context = before + person + " was born in " + place + " .";
    Json row = {{"question", "who was born in " + asked + " ?"}, {"context", context}};
    row["answers"] = {{"text", Json::array()}, {"answer_start", Json::array()}};
    if (i % 5 != 4) row["answers"] = {{"text", {person}}, {"answer_start", {before.size()}}};
    out += row.dump() + "\n";
  }
  return out;
}

TEST(QuestionAnswering, IsLearnedEvaluatedAndAsked) {
  const fs::path folder = scratch("question_answering");
  write(folder / "rows.jsonl", born_rows(240));
  const std::string data = (folder / "rows.jsonl").string(), out = (folder / "out").string();
  const ProgramRun run = suanli("train --task question-answering --model_name_or_path " + kModel.string() +
                                " --train_file " + data + " --validation_file " + data + " --output_dir " + out +
                                " --learning_rate 0.003 --num_train_epochs 8 --max_seq_length 32 --doc_stride 8 "
                                "--per_device_train_batch_size 16 --save_strategy no --precision f32");
  ASSERT_EQ(run.code, 0) << run.err;
  const Json results = read_json(folder / "out/all_results.json");
  // Guessing "no answer" gives 20, a random word of the context less.
  EXPECT_GT(results["eval_exact_match"].get<double>(), 80) << results;
  EXPECT_GE(results["eval_f1"].get<double>(), results["eval_exact_match"].get<double>());
  EXPECT_EQ(read_json(folder / "out/config.json")["architectures"], Json({"BertForQuestionAnswering"}));

  const ProgramRun again =
      suanli("eval --model_name_or_path " + out + " --validation_file " + data +
             " --max_seq_length 32 --doc_stride 8 --precision f32 --output_dir " + (folder / "eval").string());
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(read_json(folder / "eval/eval_results.json")["eval_exact_match"], results["eval_exact_match"]);

  const ProgramRun asked =
      suanli("predict --model " + out,
             R"({"question": "who was born in london ?", "context": "bob was born in london ."})"
             "\n"
             R"({"question": "who was born in tower ?", "context": "the old river is big . anna was born in tower ."})"
             "\n");
  ASSERT_EQ(asked.code, 0) << asked.err;
  const Json first = parse_json(asked.out.substr(0, asked.out.find('\n')), "answer");
  EXPECT_EQ(first["answer"], "bob") << asked.out;
  EXPECT_EQ(first["start"], 0);
  EXPECT_EQ(first["end"], 3);
  EXPECT_NE(asked.out.find("\"start\": 23, \"end\": 27, \"answer\": \"anna\""), std::string::npos) << asked.out;
}

TEST(QuestionAnswering, WhatIsWrongIsSaidWithItsPlace) {
  const fs::path folder = scratch("question_answering_wrong");
  write(folder / "rows.jsonl", R"({"question": "q", "context": "abc", "answers": {"text": ["b"], "answer_start": [2]}})"
                               "\n");
  const ProgramRun run =
      suanli("train --task question-answering --model_name_or_path " + kModel.string() + " --train_file " +
             (folder / "rows.jsonl").string() + " --output_dir " + (folder / "out").string());
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("rows.jsonl:1"), std::string::npos) << run.err;
  const ProgramRun plain = suanli("predict --model " + kModel.string(), "just a text\n");
  EXPECT_EQ(plain.code, 2);
  EXPECT_NE(plain.err.find("question and context"), std::string::npos) << plain.err;
}

}  // namespace
}  // namespace suanli::e2e

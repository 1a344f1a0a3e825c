/// The program's verbs: shapes of the answers, exit codes and messages.
#include <gtest/gtest.h>

#include "base/json.h"
#include "e2e/program.h"

namespace suanli::e2e {
namespace {

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> out;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    out.push_back(Json::parse(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return out;
}

TEST(Program, HelpAndVersion) {
  const ProgramRun help = suanli("--help");
  EXPECT_EQ(help.code, 0);
  for (const char* verb : {"train", "eval", "predict", "embed", "tokenize", "data", "doctor", "bench", "report"}) {
    EXPECT_NE(help.out.find(verb), std::string::npos) << verb;
    const ProgramRun own = suanli(std::string(verb) + " --help");
    EXPECT_EQ(own.code, 0) << verb << own.err;
    EXPECT_NE(own.out.find("usage: suanli " + std::string(verb)), std::string::npos) << own.out;
  }
  EXPECT_EQ(suanli("--version").out, "suanli " SUANLI_VERSION "\n");
}

TEST(Program, AWrongVerbOrOptionIsOneMessageWithTheNearestNameAndExitCode2) {
  const ProgramRun verb = suanli("trian");
  EXPECT_EQ(verb.code, 2);
  EXPECT_NE(verb.err.find("\"train\""), std::string::npos) << verb.err;
  const ProgramRun option = suanli("predict --modle x");
  EXPECT_EQ(option.code, 2);
  EXPECT_NE(option.err.find("\"model\""), std::string::npos) << option.err;
  EXPECT_EQ(suanli("").code, 2);
}

TEST(Program, AnUnknownKeyOfARunFileNamesFileLineAndNearestKey) {
  const auto folder = scratch("unknown_key");
  write(folder / "run.yaml", "seed: 1\nlearning_rat: 1e-4\n");
  const ProgramRun run = suanli("train --config " + (folder / "run.yaml").string());
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("run.yaml:2"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("learning_rate"), std::string::npos) << run.err;
}

TEST(Tokenize, IdsTokensAndOffsetsInCodePoints) {
  const ProgramRun run =
      suanli("tokenize --model " + small_classifier().string(), "good film\nbad \xE5\xA5\xBD story\n");
  ASSERT_EQ(run.code, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], Json::parse(R"({"ids": [2, 5, 8, 3], "tokens": ["[CLS]", "good", "film", "[SEP]"],
                                      "offsets": [[0, 0], [0, 4], [5, 9], [0, 0]]})"));
  EXPECT_EQ(lines[1]["offsets"], Json::parse("[[0, 0], [0, 3], [4, 5], [6, 11], [0, 0]]"));
}

TEST(Predict, OneAnswerALineInOrderWhateverTheWindow) {
  const std::string model = small_classifier().string();
  std::string input;
  for (int i = 0; i < 50; ++i) {
    for (int word = 0; word <= i % 7; ++word) input += word % 2 == 0 ? "good " : "story ";
    input += "\n";
  }
  const ProgramRun whole = suanli("predict --model " + model, input);
  ASSERT_EQ(whole.code, 0) << whole.err;
  const auto answers = lines_of(whole.out);
  ASSERT_EQ(answers.size(), 50U);
  for (size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i]["label"], answers[i % 7]["label"]);
    EXPECT_NEAR(answers[i]["score"].get<double>(), answers[i % 7]["score"].get<double>(), 1e-5);
  }
  const auto small = lines_of(suanli("predict --window 3 --tokens_per_batch 8 --model " + model, input).out);
  ASSERT_EQ(small.size(), answers.size());
  for (size_t i = 0; i < small.size(); ++i) EXPECT_EQ(small[i]["label"], answers[i]["label"]);
}

TEST(Predict, TopKIsAListWhoseScoresSumToOne) {
  const ProgramRun run = suanli("predict --top_k 3 --model " + small_classifier().string(), "good film\n");
  ASSERT_EQ(run.code, 0) << run.err;
  const Json answer = lines_of(run.out).at(0);
  ASSERT_EQ(answer.size(), 3U);
  double sum = 0;
  for (const Json& each : answer) sum += each["score"].get<double>();
  EXPECT_NEAR(sum, 1.0, 1e-5);
  EXPECT_GE(answer[0]["score"].get<double>(), answer[1]["score"].get<double>());
}

TEST(Predict, JsonLinesWithAPairAndBadLines) {
  const std::string model = small_classifier().string();
  const ProgramRun pair = suanli("predict --model " + model, R"({"text": "good film", "text_pair": "bad story"})"
                                                             "\n");
  EXPECT_EQ(pair.code, 0) << pair.err;
  const ProgramRun bad = suanli("predict --model " + model, "{\"text\": \"good\"}\n{\"text\": 5}\n");
  EXPECT_EQ(bad.code, 2);
  EXPECT_NE(bad.err.find(":2"), std::string::npos) << bad.err;
}

TEST(Embed, AVectorALineAndTheSameWithPrecisionF32Twice) {
  const std::string arguments = "embed --normalize true --model " + small_classifier().string();
  const ProgramRun run = suanli(arguments, "good film\nbad\n");
  ASSERT_EQ(run.code, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 2U);
  double norm = 0;
  for (const Json& value : lines[0]["embedding"]) norm += value.get<double>() * value.get<double>();
  EXPECT_EQ(lines[0]["embedding"].size(), 32U);
  EXPECT_NEAR(norm, 1.0, 1e-5);
  EXPECT_EQ(suanli(arguments, "good film\nbad\n").out, run.out);
}

TEST(Embed, Int8VectorsPointWhereThoseOfF32Do) {
  const std::string arguments = "embed --normalize true --model " + small_classifier().string() + " --precision ";
  const std::string input = "good film\nbad\nstory good scene bad film\n";
  const ProgramRun exact = suanli(arguments + "f32", input), run = suanli(arguments + "int8", input);
  ASSERT_EQ(run.code, 0) << run.err;
  const auto expected = lines_of(exact.out), got = lines_of(run.out);
  ASSERT_EQ(got.size(), 3U);
  for (size_t i = 0; i < got.size(); ++i) {
    double cosine = 0;
    for (size_t h = 0; h < got[i]["embedding"].size(); ++h) {
      cosine += got[i]["embedding"][h].get<double>() * expected[i]["embedding"][h].get<double>();
    }
    EXPECT_GT(cosine, 0.999) << i;
    EXPECT_NE(got[i], expected[i]) << "8 bits leave a trace";
  }
}

TEST(Program, AMissingOrBrokenModelIsOneMessageAndExitCode2) {
  EXPECT_EQ(suanli("predict --model /nowhere/at/all", "x\n").code, 2);
  const auto folder = scratch("broken");
  std::filesystem::copy(small_classifier(), folder, std::filesystem::copy_options::recursive);
  std::string weights = read(folder / "model.safetensors");
  write(folder / "model.safetensors", weights.substr(0, weights.size() / 2));
  const ProgramRun run = suanli("predict --model " + folder.string(), "x\n");
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("model.safetensors"), std::string::npos) << run.err;
}

TEST(Doctor, SaysWhatTheMachineHasAsTextAndJson) {
  EXPECT_EQ(suanli("doctor").code, 0);
  const ProgramRun run = suanli("doctor --json");
  ASSERT_EQ(run.code, 0) << run.err;
  const Json report = Json::parse(run.out);
  EXPECT_GT(report["gflops"]["f32"].get<double>(), 0);
  EXPECT_GT(report["read_gb_per_second"].get<double>(), 0);
  EXPECT_NE(suanli("doctor --kernels").out.find("layer_norm.forward"), std::string::npos);
}

TEST(Bench, GivesTheKeysOfItsContract) {
  const std::string model = small_classifier().string();
  const Json step = Json::parse(
      suanli("bench step --task text-classification --batch 2 --length 8 --steps 2 --json --model " + model).out);
  for (const char* key : {"tokens_per_second", "seconds_per_step", "share_of_peak", "peak_bytes", "implementation"}) {
    EXPECT_TRUE(step.contains(key)) << key;
  }
  for (const char* precision : {"f32", "bf16", "int8"}) {
    const Json infer =
        Json::parse(suanli(std::string("bench infer --batch 2 --length 8 --seconds 0.1 --json --precision ") +
                           precision + " --model " + model)
                        .out);
    for (const char* key : {"sequences_per_second", "milliseconds", "share_of_peak", "peak_bytes"}) {
      EXPECT_TRUE(infer.contains(key)) << key;
    }
    EXPECT_EQ(infer["precision"], precision);
  }
  EXPECT_EQ(suanli("bench step --precision int8 --model " + model).code, 2);
}

TEST(Bench, LengthsComeFromAFile) {
  const std::string model = small_classifier().string();
  const auto folder = scratch("lengths");
  write(folder / "lengths.txt", "8\n4\n6\n");
  const std::string infer = "bench infer --seconds 0.05 --json --batch 2 --model " + model + " --lengths ";
  const ProgramRun run = suanli(infer + (folder / "lengths.txt").string());
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_GT(Json::parse(run.out)["sequences_per_second"].get<double>(), 0);
  write(folder / "bad.txt", "8\nfour\n");
  EXPECT_EQ(suanli(infer + (folder / "bad.txt").string()).code, 2);
  EXPECT_EQ(suanli(infer + (folder / "missing.txt").string()).code, 2);
}

TEST(Bench, OpsStandBesideTheLimitOfTheMachine) {
  const Json report = Json::parse(suanli("bench ops --filter matmul/up/ --seconds 0.1 --json").out);
  ASSERT_GE(report["ops"].size(), 2U) << "f32 and bf16";
  for (const Json& row : report["ops"]) {
    EXPECT_EQ(row["op"], "matmul");
    EXPECT_GT(row["share_of_limit"].get<double>(), 0);
    if (row["limit"] == "memory") continue;  // a cache may be faster
    EXPECT_LT(row["share_of_limit"].get<double>(), 1.5) << "more than the measured peak, by more than its noise";
  }
}

}  // namespace
}  // namespace suanli::e2e

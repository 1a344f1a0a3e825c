/// `suanli data`: files in, files and exit codes out.
#include <algorithm>

#include <gtest/gtest.h>

#include "base/json.h"
#include "e2e/program.h"

namespace suanli::e2e {
namespace {

TEST(DataInspect, TextJsonAndPage) {
  const auto folder = scratch("data_inspect");
  const auto file = folder / "d.csv";
  write(file, "text,n,label\ngood film,1,a\nbad film,2,b\nplain,,a\n");
  const ProgramRun text = suanli("data inspect " + file.string() + " --html " + (folder / "page.html").string());
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("3 rows, 3 columns"), std::string::npos) << text.out;
  EXPECT_NE(read(folder / "page.html").find("</html>"), std::string::npos);
  const Json json = Json::parse(suanli("data inspect --json " + file.string()).out);
  EXPECT_EQ(json["rows"], 3);
  EXPECT_EQ(json["columns"][1]["missing"], 1);
  EXPECT_EQ(json["labels"][0]["value"], "a");
  const Json piped = Json::parse(suanli("data inspect - --data_format csv --json", read(file)).out);
  EXPECT_EQ(piped["columns"], json["columns"]);
}

TEST(DataInspect, LengthsInTokensOfAModel) {
  const auto file = scratch("data_tokens") / "d.txt";
  write(file, "good film\nplain\n");
  const ProgramRun run = suanli("data inspect --json --model " + small_classifier().string() + " " + file.string());
  ASSERT_EQ(run.code, 0) << run.err;
  const Json json = Json::parse(run.out);
  EXPECT_EQ(json["length_unit"], "tokens");
  EXPECT_EQ(json["columns"][0]["lengths"]["max"], 4) << "two words, [CLS] and [SEP]";
}

TEST(DataClean, WritesBothFilesAndADryRunWritesNone) {
  const auto folder = scratch("data_clean");
  const auto file = folder / "d.csv", kept = folder / "kept.csv", rejected = folder / "rejected.jsonl";
  write(file, "text,label\ngood,a\nGOOD ,a\nbad,b\n");
  const std::string common = "data clean " + file.string() + " --label_column_name label";
  const ProgramRun dry = suanli(common + " --dry_run");
  ASSERT_EQ(dry.code, 0) << dry.err;
  EXPECT_NE(dry.out.find("3 rows: 2 kept, 1 rejected"), std::string::npos) << dry.out;
  EXPECT_FALSE(std::filesystem::exists(kept));
  const ProgramRun run = suanli(common + " --output " + kept.string() + " --rejected " + rejected.string());
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out, dry.out);
  EXPECT_EQ(read(kept), "text,label\ngood,a\nbad,b\n");
  EXPECT_EQ(Json::parse(read(rejected))["reason"], "duplicate");
}

TEST(DataSplit, LeakageIsRefusedWithExitCode3UnlessAllowed) {
  const auto folder = scratch("data_split");
  const auto file = folder / "d.csv", out = folder / "parts";
  std::string csv = "text,label\n";
  for (int i = 0; i < 100; ++i) csv += "text " + std::to_string(i / 2) + (i % 4 < 2 ? ",a\n" : ",b\n");
  write(file, csv);
  const std::string command = "data split " + file.string() + " --output_dir " + out.string();
  const ProgramRun refused = suanli(command);
  EXPECT_EQ(refused.code, 3);
  EXPECT_NE(refused.out.find("leakage: "), std::string::npos) << refused.out;
  EXPECT_FALSE(std::filesystem::exists(out / "train.csv"));
  EXPECT_EQ(suanli(command + " --allow_leakage").code, 0);
  const std::string first = read(out / "train.csv");
  EXPECT_EQ(suanli(command + " --allow_leakage --ratios 0.8,0.1,0.1 --seed 42").code, 0);
  EXPECT_EQ(read(out / "train.csv"), first);
  EXPECT_EQ(suanli(command + " --group_duplicates").code, 0);
  const Json manifest = Json::parse(read(out / "split.json"));
  EXPECT_EQ(manifest["content_leaks"], 0);
  EXPECT_EQ(manifest["rows"]["train"].get<int>() + manifest["rows"]["validation"].get<int>() +
                manifest["rows"]["test"].get<int>(),
            100);
}

TEST(Data, MistakesAreOneMessageAndExitCode2) {
  const auto folder = scratch("data_bad");
  write(folder / "empty.csv", "");
  write(folder / "open.csv", "a,b\n\"1,2\n");
  write(folder / "d.csv", "a,b\n1,2\n");
  write(folder / "d.parquet", "PAR1");
  const std::string at = folder.string() + "/";
  const std::pair<std::string, const char*> cases[] = {
      {"inspect", "expected one file"},
      {"inspekt " + at + "d.csv", "did you mean \"inspect\""},
      {"inspect " + at + "none.csv", "no such file"},
      {"inspect " + at + "empty.csv", "empty"},
      {"inspect " + at + "open.csv", "never closed"},
      {"inspect " + at + "d.parquet", "format"},
      {"clean " + at + "d.csv", "--output"},
      {"clean " + at + "d.csv --dry_run --outlier_columns c --outliers iqr", "no column"},
      {"clean " + at + "d.csv --dry_run --near_duplicate_threshold 0.2", "0.5 to 1"},
      {"split " + at + "d.csv", "--output_dir"},
      {"split " + at + "d.csv --output_dir " + at + "o --ratios 1,2", "three numbers"},
      {"split " + at + "d.csv --output_dir " + at + "o", "too few"}};
  for (const auto& [arguments, message] : cases) {
    const ProgramRun run = suanli("data " + arguments);
    EXPECT_EQ(run.code, 2) << arguments;
    EXPECT_NE(run.err.find(message), std::string::npos) << arguments << ": " << run.err;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
}

}  // namespace
}  // namespace suanli::e2e

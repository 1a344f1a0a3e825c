// Values of a run: default < YAML < command line, in the spellings of the Hugging Face scripts.
#include "base/config.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/options.h"
#include "expect_error.h"
#include "formats/scratch.h"

namespace suanli {
namespace {

using Words = std::vector<std::string>;

Config from_words(const Words& words, Words* positionals = nullptr) {
  Config config(test_options());
  Words rest = config.read_arguments(words);
  if (positionals != nullptr) *positionals = rest;
  return config;
}

Config from_yaml(const std::string& text) {
  Config config(test_options());
  config.read_yaml_text(text, "run.yaml");
  return config;
}

TEST(Config, DefaultsStandWhereNothingIsGiven) {
  const Config config(test_options());
  EXPECT_DOUBLE_EQ(config.get_float("learning_rate"), 5e-5);
  EXPECT_EQ(config.get_int("max_steps"), -1);
  EXPECT_EQ(config.get_string("eval_strategy"), "no");
  EXPECT_FALSE(config.get_bool("bf16"));
  EXPECT_TRUE(config.get_list("text_column_names").empty());
  EXPECT_FALSE(config.is_set("model_name_or_path"));
  EXPECT_FALSE(config.is_given("seed"));
  EXPECT_EQ(config.source("seed"), "default");
  const std::string message = error_of([&] { config.get_string("model_name_or_path"); });
  EXPECT_NE(message.find("--model_name_or_path"), std::string::npos) << message;
}

TEST(Config, EverySpellingOfAnArgumentIsRead) {
  const std::vector<Words> spellings = {
      {"learning_rate=2e-5"},   {"learning-rate=2e-5"},   {"--learning_rate", "2e-5"},    {"--learning-rate", "2e-5"},
      {"--learning_rate=2e-5"}, {"--learning-rate=2e-5"}, {"--learning_rate", "0.00002"}, {"--learning_rate", "+2E-5"}};
  for (const Words& words : spellings) {
    EXPECT_DOUBLE_EQ(from_words(words).get_float("learning_rate"), 2e-5) << words[0];
    EXPECT_EQ(from_words(words).source("learning_rate"), "command line");
  }
  EXPECT_EQ(from_words({"--max_steps", "-1"}).get_int("max_steps"), -1) << "a negative number is a value";
  EXPECT_EQ(from_words({"run_name=a=b"}).get_string("run_name"), "a=b");
  EXPECT_EQ(from_words({"--run_name="}).get_string("run_name"), "");
  EXPECT_EQ(from_words({"seed=1", "seed=2"}).get_int("seed"), 2) << "the last one stands";
}

TEST(Config, SwitchesAreReadAsHfArgumentParserDoes) {
  const std::vector<Words> on = {{"--bf16"}, {"--bf16", "true"}, {"--bf16=yes"}, {"bf16=on"}, {"--bf16", "1"}};
  for (const Words& words : on) EXPECT_TRUE(from_words(words).get_bool("bf16")) << words[0];
  const std::vector<Words> off = {{"--bf16", "--no-bf16"}, {"--bf16", "--no_bf16"}, {"--bf16", "false"}, {"bf16=no"}};
  for (const Words& words : off) EXPECT_FALSE(from_words(words).get_bool("bf16")) << words[1 % words.size()];
  Words rest;
  const Config config = from_words({"--do_train", "--bf16", "data.csv"}, &rest);
  EXPECT_TRUE(config.get_bool("do_train"));
  EXPECT_EQ(rest, Words{"data.csv"}) << "a switch must not swallow a word that is no boolean";
}

TEST(Config, OtherWordsComeBackInOrder) {
  Words rest;
  from_words({"a.txt", "--seed", "1", "-", "b.txt", "--", "--seed", "c=d"}, &rest);
  EXPECT_EQ(rest, (Words{"a.txt", "-", "b.txt", "--seed", "c=d"}));
}

TEST(Config, YamlTypesFollowTheFieldNotTheText) {
  const Config config = from_yaml(
      "# a run\n"
      "learning_rate: 2e-5\n"
      "num_train_epochs: 1\n"
      "eval_strategy: no\n"
      "bf16: on\n"
      "do_train: NO\n"
      "run_name: 0123\n"
      "text_column_names: [title, \"a, b\"]\n"
      "report_to: none\n");
  EXPECT_DOUBLE_EQ(config.get_float("learning_rate"), 2e-5);
  EXPECT_DOUBLE_EQ(config.get_float("num_train_epochs"), 1.0);
  EXPECT_EQ(config.get_string("eval_strategy"), "no");
  EXPECT_TRUE(config.get_bool("bf16"));
  EXPECT_FALSE(config.get_bool("do_train"));
  EXPECT_EQ(config.get_string("run_name"), "0123");
  EXPECT_EQ(config.get_list("text_column_names"), (Words{"title", "a, b"}));
  EXPECT_EQ(config.get_list("report_to"), Words{"none"});
  EXPECT_EQ(config.source("bf16"), "run.yaml:5");
}

TEST(Config, YamlNullTakesADefaultBack) {
  EXPECT_FALSE(from_yaml("seed: null\n").is_set("seed"));
  EXPECT_FALSE(from_yaml("seed: ~\n").is_set("seed"));
  EXPECT_FALSE(from_yaml("seed:\n").is_set("seed"));
  EXPECT_TRUE(from_yaml("").is_set("seed"));
  EXPECT_TRUE(from_yaml("# nothing\n").is_set("seed"));
}

TEST(Config, TheCommandLineStandsOverTheFileWhereverItIsNamed) {
  const Scratch folder;
  write_file_atomically(folder / "run.yaml", "seed: 7\nmax_steps: 5\n");
  const std::string file = (folder / "run.yaml").string();
  for (const Words& words : {Words{"--config", file, "seed=1"}, Words{"seed=1", "--config", file},
                             Words{"seed=1", "--config=" + file}, Words{"seed=1", "config=" + file}}) {
    const Config config = from_words(words);
    EXPECT_EQ(config.get_int("seed"), 1);
    EXPECT_EQ(config.get_int("max_steps"), 5);
    EXPECT_EQ(config.source("max_steps"), file + ":2");
  }
}

TEST(Config, ListsAreReadFromCommasAndJson) {
  EXPECT_EQ(from_words({"text_column_names=a,b , c"}).get_list("text_column_names"), (Words{"a", "b", "c"}));
  EXPECT_EQ(from_words({"--text_column_names", R"(["a, b", "c"])"}).get_list("text_column_names"),
            (Words{"a, b", "c"}));
  EXPECT_EQ(from_words({"text_column_names="}).get_list("text_column_names"), Words{});
}

TEST(Config, PathsKnowHomeAndVariablesOtherTextDoesNot) {
  setenv("HOME", "/home/someone", 1);
  setenv("SUANLI_TEST_FOLDER", "runs", 1);
  EXPECT_EQ(from_words({"output_dir=~/x"}).get_string("output_dir"), "/home/someone/x");
  EXPECT_EQ(from_words({"output_dir=$SUANLI_TEST_FOLDER/${SUANLI_TEST_FOLDER}_1"}).get_string("output_dir"),
            "runs/runs_1");
  EXPECT_EQ(from_words({"output_dir=a~b"}).get_string("output_dir"), "a~b");
  EXPECT_EQ(from_words({"run_name=~/$HOME"}).get_string("run_name"), "~/$HOME");
  const std::string message = error_of([] { from_words({"output_dir=$SUANLI_TEST_UNSET/x"}); });
  EXPECT_NE(message.find("SUANLI_TEST_UNSET"), std::string::npos) << message;
}

TEST(Config, OldNamesAndNamesWithoutEffectWarnOnce) {
  testing::internal::CaptureStderr();
  const Config config = from_words({"--evaluation_strategy", "steps", "evaluation-strategy=epoch", "--no_cuda",
                                    "--torch_compile", "torch_compile=false"});
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(config.get_string("eval_strategy"), "epoch");
  EXPECT_TRUE(config.get_bool("use_cpu"));
  const auto count = [&](const std::string& part) {
    int n = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count("evaluation_strategy is an old name; use eval_strategy"), 1) << text;
  EXPECT_EQ(count("no_cuda is an old name; use use_cpu"), 1) << text;
  EXPECT_EQ(count("torch_compile has no effect here"), 1) << text;
}

TEST(Config, YamlDumpReadsBackToTheSameValues) {
  const Config config = from_words({"--bf16", "learning_rate=0.1", "seed=9007199254740993", "eval_strategy=epoch",
                                    "run_name=no: \"quotes\"\n# \\ 北京 😀 \t: [x]",
                                    R"(text_column_names=["a,b", "~", "null"])", "output_dir=a b", "report_to="});
  Config again(test_options());
  again.read_yaml_text(config.to_yaml(), "dump.yaml");
  EXPECT_EQ(again.to_json(), config.to_json());
  EXPECT_EQ(again.get_int("seed"), 9007199254740993);
  EXPECT_EQ(config.to_json()["learning_rate"], 0.1);
  EXPECT_TRUE(config.to_json()["model_name_or_path"].is_null());
  EXPECT_NE(config.to_yaml().find("learning_rate: 0.1  # command line\n"), std::string::npos) << config.to_yaml();
}

TEST(Config, HelpNamesEveryOptionWithin100Columns) {
  const std::string help = test_options().help();
  for (const Option& option : test_options().options()) {
    EXPECT_NE(help.find("--" + option.name), std::string::npos) << option.name;
  }
  EXPECT_NE(help.find("(no, steps, epoch) [default no] [old name"), std::string::npos) << help;
  size_t begin = 0;
  while (begin < help.size()) {
    const size_t end = help.find('\n', begin);
    EXPECT_LE(end - begin, 100u) << help.substr(begin, end - begin);
    begin = end + 1;
  }
}

}  // namespace
}  // namespace suanli

// Every mistake in a run file or on the command line ends in one message that names the place, the key and the way out.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/config.h"
#include "base/file.h"
#include "base/options.h"
#include "base/random.h"
#include "expect_error.h"
#include "formats/scratch.h"

namespace suanli {
namespace {

struct Bad {
  std::string text, place, message;
};

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST(ConfigHostile, EveryMalformedYamlNamesFileAndLine) {
  const Bad cases[] = {
      // Keys.
      {"seed: 1\nlerning_rate: 1\n", "[run.yaml:2]", "did you mean \"learning_rate\"?"},
      {"seeed: 1", "[run.yaml:1]", "did you mean \"seed\"?"},
      {"zzzzzzzzz: 1", "[run.yaml:1]", "unknown option \"zzzzzzzzz\""},
      {"\n\n\n\"\": 1", "[run.yaml:4]", "unknown option \"\""},
      {"seed: 1\nbf16: true\nseed: 2\n", "[run.yaml:3]", "given twice, first at run.yaml:1"},
      {"eval_strategy: no\nevaluation_strategy: no\n", "[run.yaml:2]", "eval_strategy is given twice"},
      {"run-name: a\nrun_name: b\n", "[run.yaml:2]", "given twice"},
      {"{seed: 1, seed: 2}", "[run.yaml:1]", "given twice"},
      {"<<: {seed: 1}", "[run.yaml:1]", "nested block"},
      {"<<: 1", "[run.yaml:1]", "unknown option"},
      {"[a]: 1", "[run.yaml:1]", "plain name"},
      {"? {a: b}\n: 1", "[run.yaml:1]", "plain name"},
      {"1: 2", "[run.yaml:1]", "unknown option \"1\""},
      {"null: 2", "[run.yaml:1]", ""},
      {repeated("x", 5000) + ": 1", "[run.yaml:1]", ""},
      // Values of the wrong kind.
      {"seed: abc", "[run.yaml:1]", "seed must be a whole number of 64 bits, found \"abc\""},
      {"seed: 1.5", "[run.yaml:1]", "whole number"},
      {"seed: 1e3", "[run.yaml:1]", "whole number"},
      {"seed: 9223372036854775808", "[run.yaml:1]", "whole number"},
      {"seed: -9223372036854775809", "[run.yaml:1]", "whole number"},
      {"seed: 0x10", "[run.yaml:1]", "whole number"},
      {"seed: true", "[run.yaml:1]", "whole number"},
      {"seed: 1 2", "[run.yaml:1]", "whole number"},
      {"seed: +-1", "[run.yaml:1]", "whole number"},
      {"seed: ''", "[run.yaml:1]", "whole number"},
      {"learning_rate: fast", "[run.yaml:1]", "finite number"},
      {"learning_rate: .nan", "[run.yaml:1]", "finite number"},
      {"learning_rate: nan", "[run.yaml:1]", "finite number"},
      {"learning_rate: .inf", "[run.yaml:1]", "finite number"},
      {"learning_rate: inf", "[run.yaml:1]", "finite number"},
      {"learning_rate: 1e999", "[run.yaml:1]", "finite number"},
      {"learning_rate: 1,5", "[run.yaml:1]", "finite number"},
      {"learning_rate: 2e-5x", "[run.yaml:1]", "finite number"},
      {"bf16: maybe", "[run.yaml:1]", "true or false"},
      {"bf16: 2", "[run.yaml:1]", "true or false"},
      {"eval_strategy: stpes", "[run.yaml:1]", "one of no, steps, epoch, found \"stpes\"; did you mean \"steps\"?"},
      {"seed: 1\nreport_to: [tensorbord]", "[run.yaml:2]", "did you mean \"tensorboard\"?"},
      {"output_dir: ${OPEN", "[run.yaml:1]", "output_dir"},
      {"output_dir: \"a\\0b\"", "[run.yaml:1]", "NUL"},
      // Shapes that a flat file does not have.
      {"seed:\n  nested: 1", "[run.yaml:2]", "nested block"},
      {"seed: {a: 1}", "[run.yaml:1]", "nested block"},
      {"seed: [1]", "[run.yaml:1]", "found a list"},
      {"run_name: [a]", "[run.yaml:1]", "found a list"},
      {"text_column_names: {a: 1}", "[run.yaml:1]", "nested block"},
      {"text_column_names: [a, [b]]", "[run.yaml:1]", "a list inside a list"},
      {"text_column_names: [a, null]", "[run.yaml:1]", "null inside a list"},
      {"text_column_names: a,,b", "[run.yaml:1]", "between the commas"},
      {"- a\n- b", "[run.yaml:1]", "key: value"},
      {"just text", "[run.yaml:1]", "key: value"},
      {"42", "[run.yaml:1]", "key: value"},
      {"seed: 1\n---\nseed: 2\n", "[run.yaml:", "several YAML documents"},
      {"seed: !!int 1", "[run.yaml:1]", "tags"},
      {"run_name: !!python/object/apply:os.system [ls]", "[run.yaml:1]", ""},
      {"run_name: !custom x", "[run.yaml:1]", "tags"},
      // Text that is no YAML.
      {"seed: [1, 2", "[run.yaml:1]", "open bracket"},
      {"seed: {a", "[run.yaml:1]", "open bracket"},
      {"run_name: \"open", "[run.yaml:", "not valid YAML"},
      {"run_name: 'open", "[run.yaml:", "not valid YAML"},
      {"run_name: \"\\q\"", "[run.yaml:1]", "not valid YAML"},
      {"\tseed: 1", "[run.yaml:1]", ""},
      {"seed: 1\n  bf16: true", "[run.yaml:", ""},
      {"seed: *unknown", "[run.yaml:1]", "not valid YAML"},
      {"seed: &a 1\nmax_steps: *a", "[run.yaml:1]", "anchors"},
      {"seed: @x", "[run.yaml:1]", "not valid YAML"},
      {"seed: `x`", "[run.yaml:1]", "not valid YAML"},
      {"%YAML 3.0\n---\nseed: 1", "[run.yaml", ""},
      {"seed: 1: 2", "[run.yaml:1]", ""},
      {"{seed: 1", "[run.yaml:1]", "open bracket"},
      {"seed: 1\n}", "[run.yaml:2]", ""},
      {repeated("[", 100000), "[run.yaml", ""},
      {repeated("{a: ", 100000), "[run.yaml", ""},
      {"seed: " + repeated("- ", 100000), "[run.yaml", ""},
      // Bytes that are no text.
      {"seed: 1\nrun_name: \xFF\n", "[run.yaml:2]", "UTF-8"},
      {"run_name: \xC0\x80\n", "[run.yaml:1]", "UTF-8"},
      {"run_name: \xED\xA0\x80\n", "[run.yaml:1]", "UTF-8"},
      {std::string("seed: 1\nrun_name: a\0b", 21), "[run.yaml:2]", "NUL"},
      {std::string("\xFF\xFEs\0e\0", 6), "[run.yaml:1]", "UTF-8"},
  };
  for (const Bad& bad : cases) {
    Config config(test_options());
    const std::string shown = bad.text.substr(0, 60);
    const std::string message = error_of([&] { config.read_yaml_text(bad.text, "run.yaml"); });
    EXPECT_TRUE(message.starts_with(bad.place)) << shown << "\n" << message;
    EXPECT_NE(message.find(bad.message), std::string::npos) << shown << "\n" << message;
    EXPECT_LT(message.size(), 500u) << shown;
  }
  EXPECT_GE(std::size(cases), 70u);
}

TEST(ConfigHostile, EveryWrongCommandLineIsOneMessage) {
  struct Case {
    std::vector<std::string> words;
    std::string message;
  };
  const Case cases[] = {
      {{"--lerning-rate", "1"}, "did you mean \"learning_rate\"?"},
      {{"lerning_rate=1"}, "did you mean \"learning_rate\"?"},
      {{"--seed"}, "--seed needs a value"},
      {{"--seed", "--bf16"}, "--seed needs a value"},
      {{"--no_seed"}, "unknown option"},
      {{"--no-nonsense"}, "unknown option"},
      {{"-s", "1"}, "unknown option \"-s\""},
      {{"--=1"}, "unknown option"},
      {{"--seed=x"}, "[command line] seed must be a whole number"},
      {{"bf16="}, "true or false"},
      {{"--config"}, "--config needs a value"},
      {{"--config", "missing.yaml"}, "no such file"},
      {{"text_column_names=[\"a\""}, "not valid JSON"},
      {{"text_column_names=[1]"}, "list of strings"},
      {{"text_column_names=a,"}, "between the commas"},
  };
  for (const Case& wrong : cases) {
    Config config(test_options());
    const std::string message = error_of([&] { config.read_arguments(wrong.words); });
    EXPECT_NE(message.find(wrong.message), std::string::npos) << wrong.words[0] << "\n" << message;
  }
}

TEST(ConfigHostile, AFileTooLargeForARunIsRefusedUnread) {
  const Scratch folder;
  write_file_atomically(folder / "run.yaml", std::string((1 << 20) + 1, '#'));
  Config config(test_options());
  EXPECT_NE(error_of([&] { config.read_yaml(folder / "run.yaml"); }).find("at most 1048576 bytes"), std::string::npos);
}

// 5,000 mutations of a good file: each is read or refused with UserError; anything else (another exception, a crash
// under the address sanitizer) is a finding.
TEST(ConfigHostile, MutatedFilesAreReadOrRefused) {
  const std::string good =
      "# run\nlearning_rate: 2e-5\neval_strategy: \"no\"\ntext_column_names: [a, 'b', &x c, *x]\n"
      "run_name: |\n  text\n  more\nbf16: on\nseed: >-\n  7\n{}\n";
  const std::string tokens[] = {
      "[",  "]",    "{",   "}", ":",   "- ",  "? ", "\n", "  ", "\t",   "\"", "'",    "&a ",
      "*a", "!!x ", "|",   ">", "---", "...", "%",  "#",  ",",  "\xFF", "~",  "<<: ", std::string(1, '\0'),
      "\r", "\\u",  "🙂"};
  RandomGenerator random({20, 0, 0});
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string text = good;
    for (uint64_t edits = 1 + random.below(4); edits > 0; --edits) {
      const size_t at = random.below(text.size() + 1);
      switch (random.below(3)) {
        case 0:
          text.insert(at, tokens[random.below(std::size(tokens))]);
          break;
        case 1:
          text.erase(at, random.below(8));
          break;
        default:
          text.replace(at, random.below(3), tokens[random.below(std::size(tokens))]);
      }
    }
    Config config(test_options());
    try {
      config.read_yaml_text(text, "run.yaml");
    } catch (const UserError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace suanli

// JSON from outside is read whole and strictly, or refused with the place and the reason.
#include "base/json.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "expect_error.h"
#include "formats/scratch.h"

namespace suanli {
namespace {

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Json, ReadsWhatConfigFilesOfTheHubHold) {
  const Json config = parse_json(R"({
    "architectures": ["BertModel"], "attention_probs_dropout_prob": 0.1, "layer_norm_eps": 1e-12,
    "model_max_length": 1000000000000000019884624838656, "problem_type": null, "use_cache": true,
    "id2label": {"0": "LABEL_0", "1": "\u5317\u4eac \ud83d\ude00"}, "vocab_size": 30522, "eos": -1
  })",
                                 "config.json");
  EXPECT_EQ(json_get<int64_t>(config, "vocab_size", "c"), 30522);
  EXPECT_EQ(json_get<int64_t>(config, "eos", "c"), -1);
  EXPECT_DOUBLE_EQ(json_get<double>(config, "layer_norm_eps", "c"), 1e-12);
  EXPECT_DOUBLE_EQ(json_get<double>(config, "vocab_size", "c"), 30522.0);
  EXPECT_EQ(json_get<bool>(config, "use_cache", "c"), true);
  EXPECT_EQ(json_get<std::vector<std::string>>(config, "architectures", "c"), std::vector<std::string>{"BertModel"});
  EXPECT_EQ(json_get<std::string>(config["id2label"], "1", "c"), "北京 😀");
  EXPECT_EQ(json_get_or<std::string>(config, "problem_type", "none", "c"), "none");
  EXPECT_EQ(json_get_or<int64_t>(config, "absent", 7, "c"), 7);
  EXPECT_EQ(json_get_or<int64_t>(config, "vocab_size", 7, "c"), 30522);
}

TEST(Json, DepthIsLimitedAt64) {
  EXPECT_NO_THROW(parse_json(nested(64), "x"));
  EXPECT_NE(error_of([] { parse_json(nested(65), "x.json"); }).find("[x.json] JSON is nested deeper than 64"),
            std::string::npos);
  // Ten megabytes of brackets end in the same message, not in an exhausted stack.
  EXPECT_THROW(parse_json(std::string(10 << 20, '['), "x"), UserError);
}

struct Bad {
  std::string text, message;
};

TEST(Json, MalformedTextIsRefusedWithItsPlace) {
  const Bad cases[] = {
      {"", "[f:1:1]"},
      {" \n ", "[f:2:"},
      {"{\"a\": 1,\n \"b\": }", "[f:2:"},
      {"{\"a\": 1} x", "[f:1:"},
      {"{\"a\": 1}{}", "[f:1:"},
      {std::string("{}\0{}", 5), "NUL"},
      {std::string("{\"a\0\": 1}", 9), "NUL"},
      {"{\"a\": NaN}", "not valid JSON"},
      {"{\"a\": Infinity}", "not valid JSON"},
      {"{\"a\": -Infinity}", "not valid JSON"},
      {"{\"a\": 1e999}", "not valid JSON"},
      {"{\"a\": 01}", "not valid JSON"},
      {"{\"a\": +1}", "not valid JSON"},
      {"{\"a\": .5}", "not valid JSON"},
      {"{\"a\": 1.}", "not valid JSON"},
      {"{\"a\": 0x10}", "not valid JSON"},
      {"{'a': 1}", "not valid JSON"},
      {"{a: 1}", "not valid JSON"},
      {"{\"a\": 1,}", "not valid JSON"},
      {"[1,]", "not valid JSON"},
      {"{\"a\" 1}", "not valid JSON"},
      {"{\"a\": \"x\ny\"}", "not valid JSON"},
      {"\"\\x\"", "not valid JSON"},
      {"\"\\ud800\"", "not valid JSON"},
      {"\"\xC0\x80\"", "not valid JSON"},
      {"\"\xFF\"", "not valid JSON"},
      {"\"abc", "not valid JSON"},
      {"{\"a\": {\"b\": 1, \"c\": 2, \"b\": 3}}", "key \"b\" appears twice"},
      {"{\"a\": 1, \"\\u0061\": 2}", "key \"a\" appears twice"},
      {"// a comment\n{}", "not valid JSON"},
      {"True", "not valid JSON"},
      {"nul", "not valid JSON"},
  };
  for (const Bad& bad : cases) {
    const std::string message = error_of([&] { parse_json(bad.text, "f"); });
    EXPECT_TRUE(message.starts_with("[f")) << bad.text << ": " << message;
    EXPECT_NE(message.find(bad.message), std::string::npos) << bad.text << ": " << message;
  }
}

TEST(Json, OneKeyInTwoObjectsIsNoDuplicate) {
  EXPECT_NO_THROW(parse_json(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]})", "x"));
}

TEST(Json, WrongTypesAreRefusedWithKeyValueAndPlace) {
  const Json object = parse_json(R"({"n": 1.5, "s": "x", "big": 9223372036854775808, "l": [1, "2"], "z": null})", "x");
  EXPECT_EQ(error_of([&] { json_get<int64_t>(object, "n", "c.json"); }),
            "[c.json] key \"n\" must be a 64-bit integer, found number 1.5");
  EXPECT_EQ(error_of([&] { json_get<std::string>(object, "absent", "c.json"); }),
            "[c.json] key \"absent\" is missing; it must be a string");
  EXPECT_THROW(json_get<int64_t>(object, "big", "c"), UserError);
  EXPECT_THROW(json_get<int64_t>(object, "s", "c"), UserError);
  EXPECT_THROW(json_get<bool>(object, "n", "c"), UserError);
  EXPECT_THROW(json_get<double>(object, "s", "c"), UserError);
  EXPECT_THROW(json_get<std::string>(object, "z", "c"), UserError);
  EXPECT_THROW(json_get<std::vector<int64_t>>(object, "l", "c"), UserError);
  EXPECT_THROW(json_get_or<bool>(object, "s", true, "c"), UserError);
  EXPECT_THROW(json_get<int64_t>(Json::array(), "n", "c"), UserError);
}

TEST(Json, FilesAreReadUpToTheirLimit) {
  const Scratch folder;
  EXPECT_THROW(read_json(folder / "missing.json"), UserError);
  EXPECT_THROW(read_json(folder.path()), UserError);
}

}  // namespace
}  // namespace suanli

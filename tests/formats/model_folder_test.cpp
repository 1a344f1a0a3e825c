#include "formats/model_folder.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "formats/safetensors_cases.h"
#include "formats/scratch.h"

namespace suanli {
namespace {

std::vector<NamedTensor> example_tensors() {
  std::vector<NamedTensor> out;
  for (int i = 0; i < 5; ++i)
    out.push_back({concat("layer.", i), Tensor::from(std::vector<float>(10, static_cast<float>(i)), {2, 5})});
  return out;
}

void expect_example(const ModelFolder& folder) {
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"layer.0", "layer.1", "layer.2", "layer.3", "layer.4"}));
  EXPECT_EQ(folder.bytes(), 200u);
  for (const auto& [name, tensor] : example_tensors()) {
    EXPECT_EQ(folder.entry(name).shape(), tensor.shape());
    EXPECT_EQ(std::memcmp(folder.tensor(name).data(), tensor.data(), 40), 0) << name;
  }
  EXPECT_EQ(folder.config()["model_type"], "bert");
  EXPECT_FALSE(folder.contains("layer.5"));
  EXPECT_THROW(folder.tensor("layer.5"), UserError);
}

TEST(ModelFolder, OneFileOrShardsComeBack) {
  using Names = std::vector<std::string>;
  const Scratch scratch;
  const Json config = {{"model_type", "bert"}};
  write_model_folder(scratch / "m", config, example_tensors());
  expect_example(ModelFolder::open(scratch / "m"));
  EXPECT_EQ(read_file(scratch / "m" / "config.json"), "{\n  \"model_type\": \"bert\"\n}\n");

  // two tensors to a shard; the single file of the save before is gone
  write_model_folder(scratch / "m", config, example_tensors(), 80);
  const auto names = [&] {
    Names out;
    for (const auto& entry : std::filesystem::directory_iterator(scratch / "m")) out.push_back(entry.path().filename());
    std::ranges::sort(out);
    return out;
  };
  EXPECT_EQ(names(), (Names{"config.json", "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
                            "model-00003-of-00003.safetensors", "model.safetensors.index.json"}));
  EXPECT_EQ(read_json(scratch / "m" / "model.safetensors.index.json")["metadata"]["total_size"], 200);
  expect_example(ModelFolder::open(scratch / "m"));

  write_model_folder(scratch / "m", config, example_tensors(), 1);  // a tensor larger than a shard has its own
  EXPECT_EQ(names().size(), 7u);
  expect_example(ModelFolder::open(scratch / "m"));

  write_model_folder(scratch / "m", config, example_tensors());
  EXPECT_EQ(names(), (Names{"config.json", "model.safetensors"}));
  expect_example(ModelFolder::open(scratch / "m"));
}

TEST(ModelFolder, AnEditedCopyOfItselfCanBeSaved) {
  const Scratch scratch;
  write_model_folder(scratch.path(), Json::object(), example_tensors());
  const ModelFolder folder = ModelFolder::open(scratch.path());
  std::vector<NamedTensor> tensors;
  for (const std::string& name : folder.names()) tensors.push_back({name, folder.tensor(name)});
  write_model_folder(scratch.path(), {{"model_type", "bert"}}, tensors);
  expect_example(ModelFolder::open(scratch.path()));
}

TEST(ModelFolder, MissingPiecesAreUserErrors) {
  const Scratch scratch;
  const auto message = [&] {
    try {
      ModelFolder::open(scratch / "m");
      return std::string("no error");
    } catch (const UserError& error) {
      return std::string(error.what());
    }
  };
  EXPECT_NE(message().find("no such folder"), std::string::npos);
  std::filesystem::create_directories(scratch / "m");
  EXPECT_NE(message().find("config.json"), std::string::npos);
  write_file_atomically(scratch / "m" / "config.json", "{}");
  EXPECT_NE(message().find("holds neither"), std::string::npos);
  write_file_atomically(scratch / "m" / "pytorch_model.bin", "");
  EXPECT_NE(message().find("pickle"), std::string::npos);
  write_file_atomically(scratch / "m" / "model.safetensors", "");
  EXPECT_NE(message().find("model.safetensors"), std::string::npos);
}

TEST(ModelFolder, LabelsThatAreNotUtf8AreAUserError) {
  const Scratch scratch;
  EXPECT_THROW(write_model_folder(scratch / "m", {{"id2label", {{"0", "caf\xE9"}}}}, example_tensors()), UserError);
  EXPECT_THROW(write_model_folder(scratch / "m", {{"a", "b"}},
                                  std::vector<NamedTensor>{example_tensors()[0], example_tensors()[0]}, 1),
               UserError);
}

/// Files that must not pass for JSON at all, whoever reads them.
std::vector<std::string> malformed_json() {
  std::vector<std::string> out = {"",
                                  " ",
                                  "{",
                                  "}",
                                  "[",
                                  "{]",
                                  "{\"a\"}",
                                  "{\"a\":}",
                                  "{\"a\":1,}",
                                  "{,}",
                                  "{\"a\":1 \"b\":2}",
                                  "{a:1}",
                                  "{'a':1}",
                                  "{\"a\":01}",
                                  "{\"a\":+1}",
                                  "{\"a\":.5}",
                                  "{\"a\":5.}",
                                  "{\"a\":NaN}",
                                  "{\"a\":Infinity}",
                                  "{\"a\":0x10}",
                                  "{\"a\":1e999}",
                                  "{\"a\":tru}",
                                  "{\"a\":\"\n\"}",
                                  "{\"a\":\"\\q\"}",
                                  "{\"a\":\"\\ud800\"}",
                                  "{\"a\":\"\xFF\"}",
                                  "{\"\xC0\x80\":1}",
                                  "{\"a\":1}{}",
                                  "{\"a\":1}x",
                                  "{}\f",
                                  "// c\n{}",
                                  "{/**/}",
                                  "{\"a\":1,\"a\":2}",
                                  "{\"a\":{\"b\":1,\"b\":1}}",
                                  "{\"a\":1,\"\\u0061\":2}",
                                  "\"\"x"};
  out.push_back(std::string("{\"a\":1}\0", 8));
  out.push_back(std::string("{\"a\0\":1}", 9));
  out.push_back(std::string("\0", 1));
  out.push_back(std::string(100'000, '['));
  out.push_back("{\"a\":" + std::string(65, '[') + std::string(65, ']') + "}");
  std::string nested;
  for (int i = 0; i < 100'000; ++i) nested += "{\"a\":";
  out.push_back(nested);
  return out;
}

TEST(ModelFolder, MalformedConfigsEndInUserErrors) {
  std::vector<std::string> cases = malformed_json();
  for (const char* text : {"[]", "null", "1", "\"config\"", "true", "[{}]"}) cases.emplace_back(text);
  EXPECT_GE(cases.size(), 45u);
  const Scratch scratch;
  write_model_folder(scratch.path(), Json::object(), example_tensors());
  EXPECT_NO_THROW(ModelFolder::open(scratch.path()));
  for (const std::string& text : cases) {
    write_file_atomically(scratch / "config.json", text);
    try {
      ModelFolder::open(scratch.path());
      ADD_FAILURE() << "accepted: " << text.substr(0, 60);
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find("config.json"), std::string::npos) << error.what();
    }
  }
}

TEST(ModelFolder, MalformedIndexesEndInUserErrors) {
  std::vector<std::string> cases = malformed_json();
  const auto map = [](const std::string& inside) { return "{\"metadata\":{},\"weight_map\":{" + inside + "}}"; };
  for (const char* text :
       {"[]", "null", "1", "{}", R"({"weight_map":null})", R"({"weight_map":[]})", R"({"weight_map":{}})",
        R"({"weight_map":"a"})", R"({"metadata":[],"weight_map":{"a":"a.safetensors"}})",
        R"({"metadata":1,"weight_map":{"a":"a.safetensors"}})",
        R"({"weight_map":{"layer.0":"a.safetensors"},"weight_map":{"layer.0":"b.safetensors"}})"}) {
    cases.emplace_back(text);
  }
  for (const char* value : {"1",
                            "null",
                            "true",
                            "[]",
                            "{}",
                            "[\"a.safetensors\"]",
                            "\"\"",
                            "\".\"",
                            "\"..\"",
                            "\"/\"",
                            "\"a.bin\"",
                            "\"a\"",
                            "\"../a.safetensors\"",
                            "\"../../etc/passwd\"",
                            "\"/a.safetensors\"",
                            "\"/etc/x.safetensors\"",
                            "\"x/../a.safetensors\"",
                            "\"./a.safetensors\"",
                            "\"x/a.safetensors\"",
                            "\"x\\\\a.safetensors\"",
                            "\"..\\\\a.safetensors\"",
                            "\"a.safetensors\\u0000\"",
                            "\"a\\u0000.safetensors\"",
                            "\".safetensors\"",
                            "\".hidden.safetensors\"",
                            "\"a.safetensors/\"",
                            "\"a.safetensors \"",
                            "\"A.SAFETENSORS\"",
                            "\"http://a/b.safetensors\"",
                            "\"missing.safetensors\"",
                            "\"folder.safetensors\"",
                            "\"config.json\""}) {
    cases.push_back(map(concat("\"layer.0\":", value)));
  }
  cases.push_back(map(concat("\"layer.0\":\"", std::string(300, 'a'), ".safetensors\"")));
  cases.push_back(map(R"("a\u0000b":"a.safetensors")"));
  cases.push_back(map(R"("absent":"a.safetensors")"));                             // not in the shard
  cases.push_back(map(R"("layer.0":"b.safetensors","layer.1":"a.safetensors")"));  // each in the other
  cases.push_back(map(R"("layer.0":"a.safetensors")"));                            // b's tensors unlisted, a's too
  cases.push_back(
      map(R"("layer.0":"a.safetensors","layer.1":"b.safetensors","both":"a.safetensors")"));  // b holds it too
  EXPECT_GE(cases.size(), 85u);

  const Scratch scratch;
  const auto one = [](const char* name) { return NamedTensor{name, Tensor::zeros({1}, DType::f32)}; };
  write_safetensors(scratch / "a.safetensors", std::vector<NamedTensor>{one("layer.0"), one("both")});
  write_safetensors(scratch / "b.safetensors", std::vector<NamedTensor>{one("layer.1"), one("both")});
  write_safetensors(scratch / "c.safetensors", std::vector<NamedTensor>{one("layer.2")});
  std::filesystem::create_directories(scratch / "folder.safetensors");
  write_file_atomically(scratch / "config.json", "{}");
  write_file_atomically(scratch / "model.safetensors.index.json", map(R"("layer.2":"c.safetensors")"));
  EXPECT_NO_THROW(ModelFolder::open(scratch.path()));
  for (const std::string& text : cases) {
    write_file_atomically(scratch / "model.safetensors.index.json", text);
    EXPECT_THROW(ModelFolder::open(scratch.path()), UserError) << text.substr(0, 100);
  }
}

}  // namespace
}  // namespace suanli

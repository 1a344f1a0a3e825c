#include "formats/sentence_files.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "formats/scratch.h"

namespace suanli {
namespace {

TEST(SentenceFiles, ComeBackAsWritten) {
  for (const SentencePooling pooling : {SentencePooling::mean, SentencePooling::cls, SentencePooling::max}) {
    for (const bool normalize : {false, true}) {
      const Scratch scratch;
      write_sentence_files(scratch.path(), {pooling, normalize, 384, normalize ? 256 : 0, ""});
      const auto read = read_sentence_files(scratch.path());
      ASSERT_TRUE(read);
      EXPECT_EQ(read->pooling, pooling);
      EXPECT_EQ(read->normalize, normalize);
      EXPECT_EQ(read->dimension, 384);
      EXPECT_EQ(read->max_length, normalize ? 256 : 0);
      EXPECT_EQ(read->transformer_folder, "");
    }
  }
}

TEST(SentenceFiles, AFolderWithoutModulesHasNone) {
  const Scratch scratch;
  EXPECT_FALSE(read_sentence_files(scratch.path()));
}

constexpr const char* kModules =
    R"([{"idx":0,"name":"0","path":"0_Transformer","type":"sentence_transformers.models.Transformer"},
        {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"}])";

std::optional<SentenceFiles> read(const std::string& modules, const std::string& pooling) {
  const Scratch scratch;
  std::filesystem::create_directories(scratch / "1_Pooling");
  write_file_atomically(scratch / "modules.json", modules);
  write_file_atomically(scratch / "1_Pooling" / "config.json", pooling);
  return read_sentence_files(scratch.path());
}

TEST(SentenceFiles, OldFoldersAndNewNamesAreRead) {
  const auto old = read(
      kModules, R"({"word_embedding_dimension":768,"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false})");
  EXPECT_EQ(old->transformer_folder, "0_Transformer");
  EXPECT_EQ(old->pooling, SentencePooling::cls);
  EXPECT_EQ(old->max_length, 0);
  EXPECT_EQ(read(kModules, R"({"embedding_dimension":8,"pooling_mode":"max","include_prompt":true})")->pooling,
            SentencePooling::max);
  EXPECT_EQ(read(kModules, R"({"embedding_dimension":8,"pooling_mode":["mean"]})")->dimension, 8);
}

TEST(SentenceFiles, WhatIsNotSupportedIsRefusedByName) {
  const std::string mean = R"({"word_embedding_dimension":8,"pooling_mode_mean_tokens":true})";
  const auto modules = [](const std::string& text) {
    return read(text, R"({"word_embedding_dimension":8,"pooling_mode_mean_tokens":true})");
  };
  const std::string transformer = R"({"path":"","type":"sentence_transformers.models.Transformer"})";
  const std::string pooling = R"({"path":"1_Pooling","type":"sentence_transformers.models.Pooling"})";
  EXPECT_TRUE(modules("[" + transformer + "," + pooling + "]"));
  for (const std::string& text : std::vector<std::string>{
           "{}", "[]", "[1]", "[" + transformer + "]", "[" + pooling + "," + transformer + "]",
           "[" + transformer + "," + transformer + "]",
           "[" + transformer + "," + pooling + R"(,{"path":"2_Dense","type":"sentence_transformers.models.Dense"}])",
           "[" + transformer + R"(,{"path":"../1_Pooling","type":"sentence_transformers.models.Pooling"}])",
           "[" + transformer + R"(,{"path":"..","type":"sentence_transformers.models.Pooling"}])",
           "[" + transformer + R"(,{"path":"/etc","type":"sentence_transformers.models.Pooling"}])",
           "[" + transformer + R"(,{"path":3,"type":"sentence_transformers.models.Pooling"}])",
           "[" + transformer + R"(,{"type":"sentence_transformers.models.Pooling"}])",
           "[" + transformer + R"(,{"path":"1_Pooling","type":"os.system"}])",
           "[" + transformer + R"(,{"path":"1_Pooling","type":7}])",
           "[" + transformer + R"(,{"path":"missing","type":"sentence_transformers.models.Pooling"}])"}) {
    EXPECT_THROW(modules(text), UserError) << text;
  }
  for (const char* text :
       {"[]", "{}", R"({"word_embedding_dimension":8})",
        R"({"word_embedding_dimension":8,"pooling_mode_mean_tokens":1})",
        R"({"word_embedding_dimension":8,"pooling_mode_mean_tokens":true,"pooling_mode_cls_token":true})",
        R"({"word_embedding_dimension":8,"pooling_mode_lasttoken":true})",
        R"({"word_embedding_dimension":0,"pooling_mode_mean_tokens":true})",
        R"({"word_embedding_dimension":"8","pooling_mode_mean_tokens":true})", R"({"pooling_mode_mean_tokens":true})",
        R"({"embedding_dimension":8,"pooling_mode":"weightedmean"})",
        R"({"embedding_dimension":8,"pooling_mode":["mean","max"]})", R"({"embedding_dimension":8,"pooling_mode":[]})",
        R"({"embedding_dimension":8,"pooling_mode":[1]})", R"({"embedding_dimension":8,"pooling_mode":null})"}) {
    EXPECT_THROW(read(kModules, text), UserError) << text;
  }
}

}  // namespace
}  // namespace suanli

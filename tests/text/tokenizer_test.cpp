// What the golden files do not say: bytes to code points, padding, truncation, folders, special tokens.
#include "text/tokenizer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace suanli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kVocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n##s\n,\ncafe\nCafé\n中\n";

Tokenizer bert() { return Tokenizer::from_vocabulary(kVocabulary, "", "vocab.txt"); }

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("suanli_text_" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }
  void write(const char* name, std::string_view text) const { std::ofstream(path_ / name) << text; }

 private:
  fs::path path_;
};

TEST(Utf8, ReplacesEachMaximalSubpartAsPythonDoes) {
  const std::u32string R = U"\uFFFD";
  EXPECT_EQ(to_code_points("a\xff"
                           "b"),
            U"a" + R + U"b");
  EXPECT_EQ(to_code_points("\xc0\xaf"), R + R);                  // never a lead byte, then a lone continuation
  EXPECT_EQ(to_code_points("\xe0\x80\x80"), R + R + R);          // overlong
  EXPECT_EQ(to_code_points("\xed\xa0\x80"), R + R + R);          // surrogate
  EXPECT_EQ(to_code_points("\xf4\x90\x80\x80"), R + R + R + R);  // above U+10FFFF
  EXPECT_EQ(to_code_points("\xe2\x82"), R);                      // cut short: one subpart
  EXPECT_EQ(to_code_points("\xf0\x9f\x98"
                           "a"),
            R + U"a");
  EXPECT_EQ(to_code_points("\xf0\x9f\x98\x80"), U"\U0001F600");
  EXPECT_EQ(to_utf8(U"aé中\U0001F600"), "aé中😀");
}

TEST(Unicode, NormalisationKeepsTheSpansOfTheOriginal) {
  AlignedText text;
  text.assign(U"xe\u0301", 5);
  unicode::normalize(text, unicode::Form::nfc);
  EXPECT_EQ(text.chars, U"xé");
  EXPECT_EQ(text.spans, (std::vector<CharSpan>{{5, 6}, {6, 7}}));
  unicode::normalize(text, unicode::Form::nfd);
  EXPECT_EQ(text.chars, U"xe\u0301");
  EXPECT_EQ(text.spans, (std::vector<CharSpan>{{5, 6}, {6, 7}, {6, 7}}));
  text.assign(U"\uFB01\u0130", 0);
  unicode::normalize(text, unicode::Form::nfkd);
  EXPECT_EQ(text.chars, U"fiI\u0307");
  text.assign(U"\uAC00\u11A7", 0);  // U+11A7 is no trailing consonant
  unicode::normalize(text, unicode::Form::nfc);
  EXPECT_EQ(text.chars, U"\uAC00\u11A7");
}

TEST(Tokenizer, VocabTxtIsAnUncasedBertTokenizer) {
  const Encoding encoding = bert().encode("Hello, CAFÉ中 worlds");
  EXPECT_EQ(encoding.ids, (std::vector<int32_t>{2, 5, 8, 9, 11, 6, 7, 3}));
  EXPECT_EQ(encoding.offsets[3], (std::pair<uint32_t, uint32_t>{7, 11}));
  EXPECT_EQ(encoding.word_ids, (std::vector<int32_t>{-1, 0, 1, 2, 3, 4, 4, -1}));
  const Tokenizer cased = Tokenizer::from_vocabulary(kVocabulary, R"({"do_lower_case":false})", "vocab.txt");
  EXPECT_EQ(cased.encode("Café Hello").ids, (std::vector<int32_t>{2, 10, 1, 3}));
  EXPECT_EQ(bert().decode(encoding.ids), "hello, cafe 中 worlds");
  EXPECT_THROW(Tokenizer::from_vocabulary("a\nb\n", "", "x"), UserError);
  EXPECT_THROW(Tokenizer::from_vocabulary("[UNK]\n[CLS]\n[SEP]\na\na\n", "", "x"), UserError);
  EXPECT_THROW(Tokenizer::from_vocabulary(kVocabulary, R"({"tokenizer_class":"T5Tokenizer"})", "x"), UserError);
}

TEST(Tokenizer, SpecialTokensOfTheTextAreFoundAndTheirIdsAreKnown) {
  const Tokenizer tokenizer = bert();
  EXPECT_EQ(tokenizer.encode("hello [MASK]").ids, (std::vector<int32_t>{2, 5, 4, 3}));
  EXPECT_EQ(tokenizer.special_ids().cls, 2);
  EXPECT_EQ(tokenizer.special_ids().mask, 4);
  EXPECT_EQ(tokenizer.special_ids().unk, 1);
  EXPECT_EQ(tokenizer.id_of("world"), 6);
  EXPECT_EQ(tokenizer.id_of("nothing"), std::nullopt);
  EXPECT_EQ(tokenizer.token_of(7), "##s");
  EXPECT_EQ(tokenizer.token_of(-1), "");
  EXPECT_EQ(tokenizer.token_of(100000), "");
}

TEST(Tokenizer, TruncationSaysWhatItCannotDo) {
  const Tokenizer tokenizer = bert();
  EncodeOptions options;
  options.max_length = 1;
  EXPECT_THROW(tokenizer.encode("hello", options), UserError);
  options.max_length = 2;
  EXPECT_EQ(tokenizer.encode("hello", options).ids, (std::vector<int32_t>{2, 3}));
  options.max_length = 5;
  options.strategy = TruncationStrategy::only_first;
  EXPECT_EQ(tokenizer.encode_pair("hello world world", "hello", options).ids, (std::vector<int32_t>{2, 5, 3, 5, 3}));
  options.strategy = TruncationStrategy::only_second;
  EXPECT_THROW(tokenizer.encode_pair("hello world world", "hello", options), UserError);
  EXPECT_THROW(tokenizer.encode("hello world world hello", options), UserError);
  options.max_length = -1;
  EXPECT_THROW(tokenizer.encode("hello", options), UserError);
}

TEST(Tokenizer, PaddingReachesTheLengthOnEitherSide) {
  const std::vector<std::string> texts = {"hello", "hello world", ""};
  std::vector<Encoding> batch = bert().encode_batch(texts);
  PaddingOptions options;
  options.multiple_of = 4;
  options.side = Side::left;
  pad(batch, options);
  EXPECT_EQ(batch[0].ids, (std::vector<int32_t>{0, 2, 5, 3}));
  EXPECT_EQ(batch[0].attention, (std::vector<uint8_t>{0, 1, 1, 1}));
  EXPECT_EQ(batch[0].special, (std::vector<uint8_t>{1, 1, 0, 1}));
  EXPECT_EQ(batch[1].ids, (std::vector<int32_t>{2, 5, 6, 3}));
  options = {};
  options.length = 6;
  pad(batch, options);
  EXPECT_EQ(batch[2].ids, (std::vector<int32_t>{0, 0, 2, 3, 0, 0}));
  options.length = -1;
  EXPECT_THROW(pad(batch, options), UserError);
}

TEST(Tokenizer, AFolderIsWrittenBackByteForByte) {
  const Folder folder;
  folder.write("vocab.txt", kVocabulary);
  folder.write("tokenizer_config.json", R"({ "model_max_length": 512, "do_lower_case" : true })");
  folder.write("special_tokens_map.json", R"({"mask_token": {"content": "[MASK]", "lstrip": true}})");
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.model_max_length(), 512);
  fs::create_directories(folder.path() / "copy");
  tokenizer.save(folder.path() / "copy");
  for (const char* name : {"vocab.txt", "tokenizer_config.json", "special_tokens_map.json"}) {
    EXPECT_EQ(read_file(folder.path() / "copy" / name), read_file(folder.path() / name)) << name;
  }
  EXPECT_FALSE(fs::exists(folder.path() / "copy" / "tokenizer.json"));
}

TEST(Tokenizer, AFolderWithoutATokenizerOrWithAWrongConfigIsRefused) {
  const Folder folder;
  EXPECT_THROW(Tokenizer::load(folder.path()), UserError);
  folder.write("vocab.txt", kVocabulary);
  folder.write("tokenizer_config.json", R"({"model_max_length": 1000000000000000019884624838656})");
  EXPECT_EQ(Tokenizer::load(folder.path()).model_max_length(), 0);
  folder.write("tokenizer_config.json", R"({"model_max_length": "long"})");
  EXPECT_THROW(Tokenizer::load(folder.path()), UserError);
  folder.write("tokenizer_config.json", R"({"cls_token": "[NONE]"})");
  EXPECT_THROW(Tokenizer::load(folder.path()), UserError);
}

TEST(Tokenizer, LongWordsTakeTimeInProportion) {
  const Tokenizer tokenizer = Tokenizer::from_json(
      R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"abab":3},"merges":["a b","ab ab"]}})", "x");
  std::string word;
  for (int i = 0; i < 200000; ++i) word += "ab";
  const Encoding encoding = tokenizer.encode(word);  // a quadratic merge would take minutes
  EXPECT_EQ(encoding.ids, std::vector<int32_t>(100000, 3));
  EXPECT_EQ(encoding.offsets.back(), (std::pair<uint32_t, uint32_t>{399996, 400000}));
}

}  // namespace
}  // namespace suanli

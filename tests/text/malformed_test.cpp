// A malformed or unsupported tokenizer.json ends in a UserError that names its source; nothing else, and no crash.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "text/tokenizer.h"

namespace suanli {
namespace {

constexpr std::string_view kModel =
    R"({"type":"WordPiece","unk_token":"[UNK]","vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"a":3,"##b":4}})";
constexpr std::string_view kBpe = R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]})";

// A file with this model and these further members ("key": value, ...).
std::string file(std::string_view model, std::string_view members = "") {
  return std::string(R"({"version":"1.0",)") + std::string(members) + (members.empty() ? "" : ",") + R"("model":)" +
         std::string(model) + "}";
}
std::string with(std::string_view members) { return file(kModel, members); }
std::string vocabulary(std::string_view entries) {
  return file(R"({"type":"WordPiece","unk_token":"[UNK]","vocab":)" + std::string(entries) + "}");
}
std::string bpe(std::string_view settings) {
  return file(R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},)" + std::string(settings) + "}");
}
std::string added(std::string_view token) { return with(R"("added_tokens":[)" + std::string(token) + "]"); }
std::string post(std::string_view node) { return with(R"("post_processor":)" + std::string(node)); }

std::vector<std::pair<std::string, std::string>> cases() {
  const std::string good = with(R"("normalizer":{"type":"BertNormalizer"})");
  std::vector<std::pair<std::string, std::string>> out = {
      {"empty", ""},
      {"white space", "  \n"},
      {"null", "null"},
      {"number", "3"},
      {"array", "[]"},
      {"empty object", "{}"},
      {"truncated", good.substr(0, good.size() - 1)},
      {"half", good.substr(0, good.size() / 2)},
      {"trailing comma", "{\"model\":" + std::string(kModel) + ",}"},
      {"two documents", good + good},
      {"raw NUL", std::string("{\"a\0\":1}", 9)},
      {"escaped NUL in a key", R"({"mo\u0000del":1})"},
      {"invalid UTF-8", "{\"model\":\"\xff\"}"},
      {"lone surrogate", R"({"version":"\ud800"})"},
      {"deep arrays", std::string(100000, '[')},
      {"deep objects",
       [] {
         std::string deep;
         for (int i = 0; i < 5000; ++i) deep += R"({"model":)";
         return deep;
       }()},
      {"deep sequences",
       [] {
         std::string open, close;
         for (int i = 0; i < 100; ++i) {
           open += R"({"type":"Sequence","normalizers":[)";
           close += "]}";
         }
         return with(R"("normalizer":)" + open + close);
       }()},
      {"duplicate member", file(kModel, R"("model":{})")},
      {"version 2", R"({"version":"2.0","model":)" + std::string(kModel) + "}"},
      {"version number", R"({"version":1,"model":)" + std::string(kModel) + "}"},
      {"no model", R"({"version":"1.0"})"},
      {"model null", file("null")},
      {"model text", file("\"BPE\"")},
      {"unknown model", file(R"({"type":"Unigram","vocab":[]})")},
      {"unknown model setting", file(R"({"type":"WordPiece","surprise":1,"vocab":{"[UNK]":0}})")},
      {"no vocabulary", file(R"({"type":"WordPiece"})")},
      {"vocabulary array", vocabulary("[]")},
      {"empty vocabulary", vocabulary("{}")},
      {"no unknown token", vocabulary(R"({"a":0})")},
      {"duplicate token", vocabulary(R"({"[UNK]":0,"a":1,"a":2})")},
      {"duplicate id", vocabulary(R"({"[UNK]":0,"a":1,"b":1})")},
      {"negative id", vocabulary(R"({"[UNK]":0,"a":-1})")},
      {"fraction id", vocabulary(R"({"[UNK]":0,"a":1.5})")},
      {"whole fraction id", vocabulary(R"({"[UNK]":0,"a":1.0})")},
      {"text id", vocabulary(R"({"[UNK]":0,"a":"1"})")},
      {"null id", vocabulary(R"({"[UNK]":0,"a":null})")},
      {"max chars negative", file(R"({"type":"WordPiece","max_input_chars_per_word":-1,"vocab":{"[UNK]":0}})")},
      {"max chars text", file(R"({"type":"WordPiece","max_input_chars_per_word":"9","vocab":{"[UNK]":0}})")},
      {"no merges", bpe(R"("unk_token":null)")},
      {"merges object", bpe(R"("merges":{})")},
      {"merge of one", bpe(R"("merges":["a"])")},
      {"merge of three", bpe(R"("merges":["a b c"])")},
      {"merge of an empty part", bpe(R"("merges":[" b"])")},
      {"merge array of one", bpe(R"("merges":[["a"]])")},
      {"merge array of numbers", bpe(R"("merges":[[1,2]])")},
      {"merge number", bpe(R"("merges":[7])")},
      {"merge of an unknown part", bpe(R"("merges":["a z"])")},
      {"merge to an unknown token", bpe(R"("merges":["b a"])")},
      {"merge shorter than the prefix", bpe(R"("continuing_subword_prefix":"####","merges":["a b"])")},
      {"dropout", bpe(R"("dropout":0.1,"merges":[])")},
      {"unknown token missing", bpe(R"("unk_token":"<unk>","merges":[])")},
      {"fuse_unk number", bpe(R"("fuse_unk":1,"merges":[])")},
      {"added tokens object", with(R"("added_tokens":{})")},
      {"added token text", added("\"x\"")},
      {"added token without id", added(R"({"content":"x"})")},
      {"added token without content", added(R"({"id":5})")},
      {"added token empty", added(R"({"id":5,"content":""})")},
      {"added token NUL", added(R"({"id":5,"content":"a\u0000"})")},
      {"added token with another's id", added(R"({"id":3,"content":"x"})")},
      {"added token with a second id", added(R"({"id":9,"content":"a"})")},
      {"added token far away", added(R"({"id":2147483647,"content":"x"})")},
      {"added token negative", added(R"({"id":-5,"content":"x"})")},
      {"added token twice", added(R"({"id":5,"content":"x"},{"id":6,"content":"x"})")},
      {"added id twice", added(R"({"id":5,"content":"x"},{"id":5,"content":"y"})")},
      {"added flag text", added(R"({"id":5,"content":"x","lstrip":"yes"})")},
      {"added unknown setting", added(R"({"id":5,"content":"x","colour":1})")},
      {"normalizer text", with(R"("normalizer":"NFC")")},
      {"normalizer unknown", with(R"("normalizer":{"type":"Precompiled","precompiled_charsmap":""})")},
      {"normalizer without type", with(R"("normalizer":{"lowercase":true})")},
      {"normalizer setting unknown", with(R"("normalizer":{"type":"NFC","speed":1})")},
      {"normalizer sequence text", with(R"("normalizer":{"type":"Sequence","normalizers":"NFC"})")},
      {"replace nothing", with(R"("normalizer":{"type":"Replace","pattern":{"String":""},"content":""})")},
      {"replace two", with(R"("normalizer":{"type":"Replace","pattern":{"String":"a","Regex":"b"},"content":""})")},
      {"replace bad pattern", with(R"("normalizer":{"type":"Replace","pattern":{"Regex":"(a"},"content":""})")},
      {"pre-tokenizer unknown", with(R"("pre_tokenizer":{"type":"UnicodeScripts"})")},
      {"pre-tokenizer null in a sequence", with(R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[null]})")},
      {"split behaviour", with(R"("pre_tokenizer":{"type":"Split","pattern":{"String":"a"},"behavior":"Burn"})")},
      {"split pattern", with(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"[a"},"behavior":"Isolated"})")},
      {"delimiter of two", with(R"("pre_tokenizer":{"type":"CharDelimiterSplit","delimiter":"ab"})")},
      {"post-processor unknown", post(R"({"type":"Frame"})")},
      {"post-processor id", post(R"({"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",99]})")},
      {"post-processor pair", post(R"({"type":"BertProcessing","sep":["[SEP]"],"cls":["[CLS]",1]})")},
      {"template without A", post(R"({"type":"TemplateProcessing","single":[],"pair":[],"special_tokens":{}})")},
      {"template with an unknown token",
       post(
           R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"X","type_id":0}}],"pair":[],"special_tokens":{}})")},
      {"template sequence C",
       post(
           R"({"type":"TemplateProcessing","single":[{"Sequence":{"id":"C","type_id":0}}],"pair":[],"special_tokens":{}})")},
      {"template type",
       post(
           R"({"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":4294967296}}],"pair":[],"special_tokens":{}})")},
      {"two templates", post(R"({"type":"Sequence","processors":[
          {"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]},{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]}]})")},
      {"decoder unknown", with(R"("decoder":{"type":"CTC"})")},
      {"decoder strip", with(R"("decoder":{"type":"Strip","content":"ab","start":1,"stop":0})")},
      {"decoder number", with(R"("decoder":5)")},
      {"truncation strategy", with(R"("truncation":{"max_length":5,"strategy":"Middle"})")},
      {"truncation length", with(R"("truncation":{"max_length":-5,"strategy":"LongestFirst"})")},
      {"padding strategy",
       with(R"("padding":{"strategy":{"Fixed":"8"},"pad_id":0,"pad_type_id":0,"pad_token":"[PAD]"})")},
      {"padding id", with(R"("padding":{"strategy":"BatchLongest","pad_id":77,"pad_type_id":0,"pad_token":"[PAD]"})")},
  };
  for (const char* id :
       {"70000", "16777216", "2147483647", "2147483648", "4294967295", "4294967296", "9007199254740993",
        "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "1e400"}) {
    out.emplace_back(std::string("id ") + id, vocabulary(std::string(R"({"[UNK]":0,"a":)") + id + "}"));
  }
  return out;
}

TEST(MalformedTokenizerJson, EveryCaseIsAUserErrorThatNamesTheSource) {
  const auto all = cases();
  EXPECT_GE(all.size(), 60U);
  for (const auto& [name, json] : all) {
    try {
      Tokenizer::from_json(json, "the-source");
      ADD_FAILURE() << name << ": accepted";
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find("the-source"), std::string::npos) << name << ": " << error.what();
    }
  }
}

TEST(MalformedTokenizerJson, TheSameFilesWithoutTheFaultLoad) {
  EXPECT_EQ(Tokenizer::from_json(with(R"("normalizer":{"type":"BertNormalizer"})"), "x").vocab_size(), 5);
  EXPECT_EQ(Tokenizer::from_json(file(kBpe), "x").vocab_size(), 3);
  EXPECT_EQ(Tokenizer::from_json(bpe(R"("merges":[["a","b"]])"), "x").encode("ab").ids, std::vector<int32_t>{2});
  EXPECT_EQ(Tokenizer::from_json(added(R"({"id":9,"content":"x"})"), "x").id_limit(), 10);
}

TEST(MalformedTokenizerJson, EveryTruncationOfAFileIsRefused) {
  const std::string good =
      with(R"("pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece","prefix":"##"})");
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_THROW(Tokenizer::from_json(good.substr(0, length), "x"), UserError) << length;
  }
}

}  // namespace
}  // namespace suanli

/// The pieces of a stream make up the text of all tokens, and each is given out as soon as its characters are whole.
#include "text/text_stream.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/random.h"

namespace suanli {
namespace {

Tokenizer golden(const char* name) {
  const auto file = std::filesystem::path(SUANLI_TESTS_DIR) / "golden/tokenizer" / name;
  return Tokenizer::from_json(read_file(file), name);
}

/// A tokenizer of bytes <0x00> to <0xFF> that are fused to characters, as Llama's has.
Tokenizer byte_fallback() {
  std::string vocabulary;
  constexpr const char* kDigits = "0123456789ABCDEF";
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary += std::string(byte == 0 ? "" : ", ") + "\"<0x" + kDigits[byte / 16] + kDigits[byte % 16] +
                  ">\": " + std::to_string(byte);
  }
  vocabulary += ", \"\xE2\x96\x81it\": 256, \"s\": 257";
  return Tokenizer::from_json(
      R"({"added_tokens": [], "normalizer": null, "pre_tokenizer": null, "post_processor": null,
          "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                                                       {"type": "ByteFallback"}, {"type": "Fuse"},
                                                       {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
          "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                    "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": true, "ignore_merges": false,
                    "merges": [], "vocab": {)" +
          vocabulary + "}}}",
      "test");
}

/// All pieces of `ids` behind the first `before` of them.
std::string streamed(const Tokenizer& tokenizer, std::span<const int32_t> ids, size_t before) {
  TextStream stream(tokenizer, ids.first(before));
  std::string text;
  for (const int32_t id : ids.subspan(before)) text += stream.add(id);
  return text + stream.rest();
}

const std::string kText = "It\xE2\x80\x99s na\xC3\xAFve: \xF0\x9F\x98\x80\xF0\x9F\x91\x8D, \xE5\xA5\xBD!";

TEST(TextStream, GivesTheTextOfAllTokensWhereverItBegins) {
  for (const Tokenizer& tokenizer : {golden("byte_level_bpe.json"), golden("word_piece.json"), byte_fallback()}) {
    const std::vector<int32_t> ids = tokenizer.encode(kText, {.add_special_tokens = false}).ids;
    const std::string whole = tokenizer.decode(ids);
    ASSERT_FALSE(whole.empty());
    for (size_t before = 0; before < ids.size(); ++before) {
      const std::string prompt = tokenizer.decode(std::span(ids).first(before));
      if (!whole.starts_with(prompt)) continue;  // it ends within a character
      EXPECT_EQ(prompt + streamed(tokenizer, ids, before), whole) << before;
    }
  }
}

TEST(TextStream, RandomBytesComeAsTheWholeTextHasThem) {
  const Tokenizer tokenizer = golden("byte_level_bpe.json");
  for (uint64_t seed = 0; seed < 50; ++seed) {
    RandomGenerator random({seed, 0, 0});
    std::vector<int32_t> ids;
    for (int i = 0; i < 40; ++i) ids.push_back(static_cast<int32_t>(random.below(300)));
    EXPECT_EQ(streamed(tokenizer, ids, 0), tokenizer.decode(ids)) << seed;
  }
}

TEST(TextStream, ACharacterOfSeveralTokensComesWithItsLast) {
  const Tokenizer tokenizer = byte_fallback();
  TextStream stream(tokenizer, std::vector<int32_t>{256});
  std::vector<std::string> pieces;
  for (const int32_t id : {257, 0xF0, 0x9F, 0x98, 0x80, 0xF0, 0x9F}) pieces.push_back(stream.add(id));
  EXPECT_EQ(pieces, (std::vector<std::string>{"s", "", "", "", "\xF0\x9F\x98\x80", "", ""}));
  EXPECT_EQ(stream.rest(), "\xEF\xBF\xBD\xEF\xBF\xBD") << "two bytes that became nothing";
}

}  // namespace
}  // namespace suanli

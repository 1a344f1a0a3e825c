/// GGUF files: every type as the reference package reads it, hostile bytes refused, a folder that models load.
#include "formats/gguf.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "expect_error.h"
#include "formats/gguf_folder.h"
#include "formats/model_folder.h"
#include "formats/safetensors.h"
#include "formats/scratch.h"

namespace suanli {
namespace {

std::filesystem::path golden(const char* name) {
  return std::filesystem::path(SUANLI_TESTS_DIR) / "golden/gguf" / name;
}

GgufFile parse(const std::string& bytes) {
  return GgufFile::parse(std::as_bytes(std::span(bytes.data(), bytes.size())), "test");
}

/// A file written by hand, field by field.
struct Bytes {
  std::string text = "GGUF";
  template <class T>
  Bytes& number(T value) {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& string(std::string_view value) {
    number<uint64_t>(value.size());
    text += value;
    return *this;
  }
  Bytes& header(uint64_t tensors, uint64_t keys) { return number<uint32_t>(3).number(tensors).number(keys); }
  Bytes& key(std::string_view name, std::string_view value) { return string(name).number<uint32_t>(8).string(value); }
  Bytes& tensor(std::string_view name, uint64_t columns, uint32_t type, uint64_t offset) {
    return string(name).number<uint32_t>(1).number(columns).number(type).number(offset);
  }
  std::string with_data(size_t bytes) const {
    std::string out = text;
    out.resize((out.size() + 31) / 32 * 32 + bytes, '\1');
    return out;
  }
};

TEST(Gguf, EveryTypeReadsAsTheReferencePackageReadsIt) {
  const GgufFile file = GgufFile::open(golden("types.gguf"));
  const SafetensorsFile expected = SafetensorsFile::open(golden("types.safetensors"));
  ASSERT_EQ(file.entries().size(), 8U);
  for (const auto& [name, entry] : file.entries()) {
    const Tensor ours = file.tensor(name), theirs = expected.tensor(name);
    ASSERT_EQ(ours.shape(), theirs.shape()) << name;
    for (size_t i = 0; i < ours.host<float>().size(); ++i) {
      // The same products and sums in f32; a compiler may fuse the multiply-add of a scale and a minimum.
      ASSERT_NEAR(ours.host<float>()[i], theirs.host<float>()[i], 1e-6 * (1 + std::abs(theirs.host<float>()[i])))
          << name << " " << i;
    }
  }
  EXPECT_EQ(file.metadata()["test.numbers"], Json::array({1, 2, 3}));
  EXPECT_EQ(file.metadata()["test.words"], Json::array({"a", "b\u00e9"}));
  EXPECT_EQ(file.metadata()["test.half"], 0.5);
  EXPECT_EQ(file.metadata()["test.yes"], true);
}

TEST(Gguf, HostileFilesAreRefusedWithAReason) {
  const auto refused = [](const std::string& bytes, const char* part) {
    EXPECT_NE(error_of([&] { parse(bytes); }).find(part), std::string::npos) << error_of([&] { parse(bytes); });
  };
  refused("", "4 more bytes");
  refused("GGML" + std::string(40, '\0'), "letters GGUF");
  refused(Bytes().number<uint32_t>(1).text, "version 1");
  refused(Bytes().header(uint64_t{1} << 60, 0).text, "at most");
  refused(Bytes().header(0, uint64_t{1} << 60).text, "at most");
  refused(Bytes().header(0, 1).number(~uint64_t{0}).text, "string within the file");
  refused(Bytes().header(0, 1).key(std::string_view("a\0b", 3), "x").text, "without NUL");
  refused(Bytes().header(0, 1).key("\xff", "x").text, "UTF-8");
  refused(Bytes().header(0, 2).key("a", "x").key("a", "y").text, "twice");
  refused(Bytes().header(0, 1).string("a").number<uint32_t>(13).text, "value type");
  refused(Bytes().header(0, 1).string("a").number<uint32_t>(7).number<uint8_t>(2).text, "boolean");
  refused(Bytes().header(0, 1).string("a").number<uint32_t>(9).number<uint32_t>(0).number(~uint64_t{0}).text, "array");
  Bytes nested = Bytes().header(0, 1).string("a").number<uint32_t>(9);
  for (int i = 0; i < 6; ++i) nested.number<uint32_t>(9).number<uint64_t>(1);
  refused(nested.text, "arrays within arrays");
  refused(Bytes().header(1, 0).tensor("t", 4, 99, 0).with_data(16), "type 99");
  refused(Bytes().header(1, 0).tensor("t", 0, 0, 0).with_data(16), "dimension of 0");
  refused(Bytes().header(1, 0).tensor("t", ~uint64_t{0}, 0, 0).with_data(16), "2^48");
  refused(Bytes().header(1, 0).tensor("t", 33, 8, 0).with_data(64), "blocks of 32");
  refused(Bytes().header(1, 0).tensor("t", 4, 0, 8).with_data(64), "multiple of 32");
  refused(Bytes().header(1, 0).tensor("t", 4, 0, 0).with_data(15), "cut short");
  refused(Bytes().header(1, 0).tensor("t", 4, 0, ~uint64_t{31}).with_data(64), "cut short");
  refused(Bytes().header(2, 0).tensor("t", 4, 0, 0).tensor("t", 4, 0, 32).with_data(64), "twice");
  refused(Bytes().header(2, 0).tensor("t", 16, 0, 0).tensor("u", 4, 0, 32).with_data(96), "behind the one before");
  EXPECT_EQ(parse(Bytes().header(1, 0).tensor("t", 4, 0, 0).with_data(16)).tensor("t").elements(), 4);
}

// Every prefix and random changes of a sound file: an error or tensors within the file, never a crash.
TEST(Gguf, DamagedFilesAreErrorsOrWhole) {
  const std::string sound = read_file(golden("types.gguf"));
  const auto read_all = [](const std::string& bytes) {
    try {
      const GgufFile file = parse(bytes);
      for (const auto& [name, entry] : file.entries()) file.tensor(name);
    } catch (const UserError&) {
    }
  };
  for (size_t length = 0; length < sound.size(); length += 37) read_all(sound.substr(0, length));
  RandomGenerator random({.seed = 3, .step = 0, .site = 0});
  for (int round = 0; round < 2000; ++round) {
    std::string changed = sound;
    for (int i = 0; i < 3; ++i) changed[random.below(700)] = static_cast<char>(random.below(256));
    read_all(changed);
  }
}

/// A Llama of one layer, H = 8, two heads of queries over one of keys, all weights counted up.
GgufFile small_llama(std::string& bytes) {
  Bytes b = Bytes().header(11, 15);
  const auto integer = [&](const char* key, uint32_t value) { b.string(key).number<uint32_t>(4).number(value); };
  b.key("general.architecture", "llama");
  integer("llama.block_count", 1);
  integer("llama.context_length", 16);
  integer("llama.embedding_length", 8);
  integer("llama.feed_forward_length", 4);
  integer("llama.attention.head_count", 2);
  integer("llama.attention.head_count_kv", 1);
  b.string("llama.rope.freq_base").number<uint32_t>(6).number(1000.0F);
  b.key("tokenizer.ggml.model", "gpt2").key("tokenizer.ggml.pre", "smollm");
  const auto words = [&](const char* key, std::initializer_list<const char*> list) {
    b.string(key).number<uint32_t>(9).number<uint32_t>(8).number<uint64_t>(list.size());
    for (const char* word : list) b.string(word);
  };
  words("tokenizer.ggml.tokens", {"<|im_end|>", "a", "b", "ab"});
  words("tokenizer.ggml.merges", {"a b"});
  b.string("tokenizer.ggml.token_type").number<uint32_t>(9).number<uint32_t>(5).number<uint64_t>(4);
  for (const int32_t type : {3, 1, 1, 1}) b.number(type);
  integer("tokenizer.ggml.eos_token_id", 0);
  b.key("tokenizer.chat_template", "{{ messages[0].content }}");
  uint64_t offset = 0;
  const auto matrix = [&](const char* name, uint64_t rows, uint64_t columns) {
    b.string(name).number<uint32_t>(rows == 0 ? 1 : 2).number(columns);
    if (rows > 0) b.number(rows);
    b.number<uint32_t>(0).number(offset);
    offset += (std::max<uint64_t>(rows, 1) * columns * 4 + 31) / 32 * 32;
  };
  matrix("token_embd.weight", 4, 8);
  matrix("output_norm.weight", 0, 8);
  matrix("blk.0.attn_norm.weight", 0, 8);
  matrix("blk.0.attn_q.weight", 8, 8);
  matrix("blk.0.attn_k.weight", 4, 8);
  matrix("blk.0.attn_v.weight", 4, 8);
  matrix("blk.0.attn_output.weight", 8, 8);
  matrix("blk.0.ffn_norm.weight", 0, 8);
  matrix("blk.0.ffn_gate.weight", 4, 8);
  matrix("blk.0.ffn_up.weight", 4, 8);
  matrix("blk.0.ffn_down.weight", 8, 4);
  bytes = b.with_data(offset);
  auto* data = bytes.data() + bytes.size() - offset;
  for (uint64_t i = 0; i < offset / 4; ++i) {
    const auto value = static_cast<float>(i);
    std::memcpy(data + 4 * i, &value, sizeof value);
  }
  return parse(bytes);
}

TEST(GgufFolder, HoldsTheModelInHuggingFacesNamesAndOrder) {
  std::string bytes;
  const GgufFile file = small_llama(bytes);
  const Scratch scratch;
  write_gguf_folder(file, scratch / "model", DType::f32);
  const ModelFolder folder = ModelFolder::open(scratch / "model");
  EXPECT_EQ(folder.config()["num_key_value_heads"], 1);
  EXPECT_EQ(folder.config()["tie_word_embeddings"], true);
  EXPECT_EQ(folder.config()["vocab_size"], 4);
  EXPECT_EQ(folder.config()["rope_theta"], 1000);
  EXPECT_EQ(folder.names().size(), 11U);
  // Head rows 0, 1, 2, 3 of a query in pairs become 0, 2, 1, 3 in halves.
  const Tensor before = file.tensor("blk.0.attn_q.weight"),
               after = folder.tensor("model.layers.0.self_attn.q_proj.weight");
  const int64_t from[] = {0, 2, 1, 3, 4, 6, 5, 7};
  for (size_t row = 0; row < 8; ++row) {
    EXPECT_EQ(after.host<float>()[row * 8], before.host<float>()[static_cast<size_t>(from[row]) * 8]) << row;
  }
  const Json tokenizer = read_json(scratch / "model" / "tokenizer.json");
  EXPECT_EQ(tokenizer["model"]["vocab"]["ab"], 3);
  EXPECT_EQ(tokenizer["added_tokens"][0]["content"], "<|im_end|>");
  EXPECT_EQ(read_json(scratch / "model" / "generation_config.json")["eos_token_id"], 0);
  EXPECT_EQ(read_json(scratch / "model" / "tokenizer_config.json")["eos_token"], "<|im_end|>");
}

}  // namespace
}  // namespace suanli

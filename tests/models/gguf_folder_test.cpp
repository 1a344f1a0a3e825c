// A GGUF file becomes a folder that models load.
#include "models/llama/gguf_folder.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/file.h"
#include "formats/gguf_bytes.h"
#include "formats/model_folder.h"
#include "formats/scratch.h"

namespace suanli {
namespace {

/// A Llama of one layer, H = 8, two heads of queries over one of keys, all weights counted up.
GgufFile small_llama(std::string& bytes) {
  GgufBytes b = GgufBytes().header(11, 15);
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
  return parse_gguf(bytes);
}

TEST(GgufFolder, HoldsTheModelInHuggingFacesNamesAndOrder) {
  std::string bytes;
  const GgufFile file = small_llama(bytes);
  const Scratch scratch;
  models::write_gguf_folder(file, scratch / "model", DType::f32);
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

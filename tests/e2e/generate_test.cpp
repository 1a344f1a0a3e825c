/// Text that writes itself, GGUF files and adapters, through the program.
#include <gtest/gtest.h>

#include <cstring>

#include "base/json.h"
#include "e2e/program.h"

namespace suanli::e2e {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(SUANLI_TESTS_DIR) / "golden/models";

/// The small Llama of tests/golden with a tokenizer whose token i is the character '!' + i; '(' ends a text.
fs::path small_writer() {
  const fs::path folder = scratch("small_writer");
  if (fs::exists(folder / "tokenizer.json")) return folder;
  for (const char* file : {"config.json", "model.safetensors", "generation_config.json"}) {
    fs::copy_file(kGolden / "llama/causal-lm" / file, folder / file);
  }
  Json vocabulary = Json::object();
  for (int id = 0; id < 60; ++id) vocabulary[std::string(1, static_cast<char>('!' + id))] = id;
  const Json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}};
  const Json end = {{"id", 7},         {"content", "("},      {"single_word", false}, {"lstrip", false},
                    {"rstrip", false}, {"normalized", false}, {"special", true}};
  const Json tokenizer = {{"added_tokens", Json::array({end})},
                          {"normalizer", nullptr},
                          {"pre_tokenizer", byte_level},
                          {"post_processor", nullptr},
                          {"decoder", byte_level},
                          {"model",
                           {{"type", "BPE"},
                            {"dropout", nullptr},
                            {"unk_token", nullptr},
                            {"continuing_subword_prefix", nullptr},
                            {"end_of_word_suffix", nullptr},
                            {"fuse_unk", false},
                            {"byte_fallback", false},
                            {"ignore_merges", false},
                            {"vocab", vocabulary},
                            {"merges", Json::array()}}}};
  write(folder / "tokenizer.json", tokenizer.dump());
  return folder;
}

ProgramRun generate(const std::string& arguments, const std::string& input = "") {
  return suanli("generate --model " + small_writer().string() + " --max_new_tokens 12 " + arguments, input);
}

// The continuations of make_causal.py, token for token.
TEST(Generate, GreedyTextIsThatOfTransformers) {
  EXPECT_EQ(generate("--prompt 'XG=?;'").out, "CAY#WAIDRW+0\n");
  EXPECT_EQ(generate("--prompt 'U64' --do_sample false").out, "55\n") << "the end of a sequence is no text";
  const ProgramRun together = generate("--prompt_file - --batch_size 3", "XG=?;\n2SRR*;P9\n*\nU64\n");
  EXPECT_EQ(together.code, 0) << together.err;
  EXPECT_EQ(together.out,
            "{\"prompt\": \"XG=?;\", \"generated_text\": \"CAY#WAIDRW+0\"}\n"
            "{\"prompt\": \"2SRR*;P9\", \"generated_text\": \"4X54IC<54X52\"}\n"
            "{\"prompt\": \"*\", \"generated_text\": \"\\\"YA\\\"\"}\n"
            "{\"prompt\": \"U64\", \"generated_text\": \"55\"}\n");
}

TEST(Generate, StopStringsEndATextAlsoAcrossTokens) {
  EXPECT_EQ(generate("--prompt 'XG=?;' --stop_strings 'Y#W'").out, "CAY#W\n");
  EXPECT_EQ(generate("--prompt 'XG=?;' --stop_strings 'QQ,D'").out, "CAY#WAID\n") << "the first of several";
  const ProgramRun lines = generate("--prompt_file - --stop_strings 'A'", "XG=?;\n2SRR*;P9\n");
  EXPECT_EQ(lines.out,
            "{\"prompt\": \"XG=?;\", \"generated_text\": \"CA\"}\n"
            "{\"prompt\": \"2SRR*;P9\", \"generated_text\": \"4X54IC<54X52\"}\n");
}

TEST(Generate, AMistakeIsOneMessageAndExitCode2) {
  const std::pair<const char*, const char*> kMistakes[] = {
      {"", "prompt"},
      {"--prompt a --prompt_file b", "prompt"},
      {"--prompt X --temperature 0 --do_sample", "temperature"},
      {"--prompt X --top_p 1.5 --do_sample", "top_p"},
      {"--prompt X --max_new_tokens -1", "max_new_tokens"},
      {"--prompt X --num_beams 2 --do_sample", "num_beams"},
      {"--prompt X --chat", "chat_template"},
      {"--prompt X --top_kk 3", "top_k"},
      {"--prompt X --model /nowhere", "/nowhere"},
      {"--prompt ''", "prompt"},
  };
  for (const auto& [arguments, named] : kMistakes) {
    const ProgramRun run = generate(arguments);
    EXPECT_EQ(run.code, 2) << arguments << run.err;
    EXPECT_NE(run.err.find(named), std::string::npos) << arguments << ": " << run.err;
    EXPECT_EQ(run.out, "") << arguments;
  }
  const ProgramRun encoder = suanli("generate --prompt good --model " + small_classifier().string());
  EXPECT_EQ(encoder.code, 2) << encoder.err;
}

// 10 times 9 bytes in blocks of 8; without the blank lines they would be 80.
TEST(CausalLm, RunningTextKeepsItsBlankLines) {
  const fs::path folder = scratch("running_text"), examples = fs::path(SUANLI_TESTS_DIR).parent_path() / "examples";
  std::string text;
  for (int i = 0; i < 10; ++i) text += "abc\n\ndef\n";
  write(folder / "text.txt", text);
  const ProgramRun run = suanli("train --task causal-lm --dry_run --block_size 8 --config_name " +
                                (examples / "shakespeare.json").string() + " --tokenizer_name " +
                                (examples / "bytes").string() + " --train_file " + (folder / "text.txt").string());
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.err.find("11 training rows (88 tokens)"), std::string::npos) << run.err;
}

/// A GGUF file of a Llama of one layer, H = 8, whose vocabulary is the tokens "a", "b" and their pair.
std::string small_gguf() {
  std::string bytes = "GGUF";
  const auto put = [&](const auto& value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); };
  const auto text = [&](const std::string& value) {
    put(uint64_t{value.size()});
    bytes += value;
  };
  const auto integer = [&](const char* key, uint32_t value) { text(key), put(uint32_t{4}), put(value); };
  const auto word = [&](const char* key, const char* value) { text(key), put(uint32_t{8}), text(value); };
  const auto words = [&](const char* key, std::initializer_list<const char*> list) {
    text(key), put(uint32_t{9}), put(uint32_t{8}), put(uint64_t{list.size()});
    for (const char* each : list) text(each);
  };
  put(uint32_t{3}), put(uint64_t{11}), put(uint64_t{11});  // version, tensors, keys
  word("general.architecture", "llama");
  integer("llama.block_count", 1);
  integer("llama.context_length", 16);
  integer("llama.embedding_length", 8);
  integer("llama.feed_forward_length", 4);
  integer("llama.attention.head_count", 2);
  word("tokenizer.ggml.model", "gpt2");
  words("tokenizer.ggml.tokens", {"<|im_end|>", "a", "b", "ab"});
  words("tokenizer.ggml.merges", {"a b"});
  integer("tokenizer.ggml.eos_token_id", 0);
  word("tokenizer.ggml.pre", "gpt-2");
  uint64_t offset = 0;
  const auto tensor = [&](const char* name, uint64_t rows, uint64_t columns) {
    text(name), put(uint32_t{rows == 1 ? 1U : 2U}), put(columns);
    if (rows > 1) put(rows);
    put(uint32_t{0}), put(offset);
    offset += rows * columns * 4;
  };
  tensor("token_embd.weight", 4, 8);
  for (const char* norm : {"output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"}) {
    tensor((std::string(norm) + ".weight").c_str(), 1, 8);
  }
  for (const char* matrix : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
    tensor((std::string("blk.0.") + matrix + ".weight").c_str(), 8, 8);
  }
  tensor("blk.0.ffn_gate.weight", 4, 8);
  tensor("blk.0.ffn_up.weight", 4, 8);
  tensor("blk.0.ffn_down.weight", 8, 4);
  bytes.resize((bytes.size() + 31) / 32 * 32);
  for (uint64_t i = 0; i < offset / 4; ++i) put(static_cast<float>(i % 13) / 10.0F);
  return bytes;
}

TEST(Convert, AGgufFileBecomesAFolderThatGenerates) {
  const fs::path folder = scratch("gguf");
  write(folder / "model.gguf", small_gguf());
  const std::string output = (folder / "model").string();
  const ProgramRun run = suanli("convert --input " + (folder / "model.gguf").string() + " --output_dir " + output);
  ASSERT_EQ(run.code, 0) << run.err;
  const ProgramRun text = suanli("generate --prompt ab --max_new_tokens 4 --model " + output);
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_FALSE(text.out.empty());
  const ProgramRun half = suanli("convert --dtype bf16 --input " + (folder / "model.gguf").string() + " --output_dir " +
                                 (folder / "half").string());
  EXPECT_EQ(half.code, 0) << half.err;
  EXPECT_LT(fs::file_size(folder / "half/model.safetensors"), fs::file_size(folder / "model/model.safetensors"));
}

TEST(Convert, WhatIsNoGgufIsOneMessageAndExitCode2) {
  const fs::path folder = scratch("no_gguf");
  write(folder / "cut.gguf", small_gguf().substr(0, 200));
  write(folder / "text.gguf", "hello");
  for (const char* file : {"cut.gguf", "text.gguf", "missing.gguf"}) {
    const ProgramRun run =
        suanli("convert --input " + (folder / file).string() + " --output_dir " + (folder / "out").string());
    EXPECT_EQ(run.code, 2) << file << run.err;
    EXPECT_NE(run.err.find(file), std::string::npos) << run.err;
    EXPECT_FALSE(fs::exists(folder / "out" / "config.json")) << file;
  }
}

TEST(Convert, AnAdapterPredictsAsTheFolderThatItIsMergedInto) {
  const fs::path folder = scratch("adapter");
  fs::copy_file(kGolden / "lora/bert/adapter_model.safetensors", folder / "adapter_model.safetensors");
  Json config = Json::parse(read(kGolden / "lora/bert/adapter_config.json"));
  config["base_model_name_or_path"] = small_classifier().string();
  write(folder / "adapter_config.json", config.dump());
  const std::string merged = (folder / "merged").string(), input = "good film\nbad story time\n";
  const ProgramRun run = suanli("convert --input " + folder.string() + " --output_dir " + merged);
  ASSERT_EQ(run.code, 0) << run.err;
  const ProgramRun by_adapter = suanli("predict --top_k 3 --model " + folder.string(), input);
  ASSERT_EQ(by_adapter.code, 0) << by_adapter.err;
  EXPECT_EQ(by_adapter.out, suanli("predict --top_k 3 --model " + merged, input).out);
  EXPECT_NE(by_adapter.out, suanli("predict --top_k 3 --model " + small_classifier().string(), input).out);
  EXPECT_EQ(suanli("convert --input " + folder.string() + " --output_dir " + folder.string()).code, 2)
      << "the adapter would be lost";
}

}  // namespace
}  // namespace suanli::e2e

#include "models/llama/gguf_folder.h"

#include <map>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "formats/model_folder.h"

namespace suanli::models {

namespace {

int64_t integer(const GgufFile& file, const char* key) { return json_get<int64_t>(file.metadata(), key, file.where()); }

/// The names of one layer, in the file and in a folder.
constexpr std::pair<const char*, const char*> kLayerNames[] = {
    {"attn_norm", "input_layernorm"}, {"attn_q", "self_attn.q_proj"},      {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},   {"attn_output", "self_attn.o_proj"}, {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},    {"ffn_up", "mlp.up_proj"},           {"ffn_down", "mlp.down_proj"}};
constexpr std::pair<const char*, const char*> kNames[] = {{"token_embd.weight", "model.embed_tokens.weight"},
                                                          {"output_norm.weight", "model.norm.weight"},
                                                          {"output.weight", "lm_head.weight"}};

/// Hugging Face's name of every tensor of the file. Throws UserError for one that Llama does not have.
std::map<std::string, std::string> theirs_to_ours(const GgufFile& file) {
  std::map<std::string, std::string> known;
  for (const auto& [theirs, ours] : kNames) known[ours] = theirs;
  for (int64_t i = 0; i < integer(file, "llama.block_count"); ++i) {
    for (const auto& [theirs, ours] : kLayerNames) {
      known[concat("model.layers.", i, ".", ours, ".weight")] = concat("blk.", i, ".", theirs, ".weight");
    }
  }
  std::map<std::string, std::string> out;
  size_t used = 0;
  for (const auto& [ours, theirs] : known) {
    if (!file.entries().contains(theirs)) continue;
    out[ours] = theirs;
    ++used;
  }
  for (const auto& [name, entry] : file.entries()) {
    if (name == "rope_freqs.weight") ++used;  // what rope scaling says in numbers, and config.json in words
  }
  if (used != file.entries().size()) {
    throw UserError(file.where(), concat("expected only tensors of a Llama model, got ", file.entries().size() - used,
                                         " others; its architecture has biases or experts, which are not supported"));
  }
  return out;
}

/// Rows 2i and 2i + 1 of each head go to i and i + D/2.
Tensor halves(const Tensor& paired, int64_t heads) {
  const int64_t size = paired.dim(0) / heads;
  Tensor out = Tensor::empty(paired.shape(), paired.dtype());
  for (int64_t row = 0; row < paired.dim(0); ++row) {
    const int64_t within = row % size, to = row - within + within / 2 + within % 2 * (size / 2);
    out.rows(to, to + 1).copy_from(paired.rows(row, row + 1));
  }
  return out;
}

Tensor as_dtype(const Tensor& x, DType dtype) {
  if (dtype == DType::f32) return x;
  Tensor out = Tensor::empty(x.shape(), DType::bf16);
  for (size_t i = 0; i < static_cast<size_t>(x.elements()); ++i) out.host<bfloat16>()[i] = bfloat16(x.host<float>()[i]);
  return out;
}

Json generation_of(const GgufFile& file) {
  static constexpr std::pair<const char*, const char*> kIds[] = {
      {"bos_token_id", "bos_token_id"}, {"eos_token_id", "eos_token_id"}, {"padding_token_id", "pad_token_id"}};
  Json json = Json::object();
  for (const auto& [theirs, ours] : kIds) {
    const std::string key = concat("tokenizer.ggml.", theirs);
    if (file.metadata().contains(key)) json[ours] = json_get<int64_t>(file.metadata(), key, file.where());
  }
  return json;
}

}  // namespace

Json gguf_config(const GgufFile& file) {
  const auto architecture = json_get<std::string>(file.metadata(), "general.architecture", file.where());
  if (architecture != "llama") {
    throw UserError(file.where(), concat("expected \"general.architecture\" llama, got \"", architecture, "\""));
  }
  const Json& meta = file.metadata();
  Json json = generation_of(file);
  json["model_type"] = "llama";
  json["architectures"] = {"LlamaForCausalLM"};
  json["hidden_act"] = "silu";
  json["hidden_size"] = integer(file, "llama.embedding_length");
  json["num_hidden_layers"] = integer(file, "llama.block_count");
  json["num_attention_heads"] = integer(file, "llama.attention.head_count");
  json["num_key_value_heads"] = json_get_or<int64_t>(meta, "llama.attention.head_count_kv",
                                                     json["num_attention_heads"].get<int64_t>(), file.where());
  json["intermediate_size"] = integer(file, "llama.feed_forward_length");
  json["max_position_embeddings"] = integer(file, "llama.context_length");
  json["rms_norm_eps"] = json_get_or<double>(meta, "llama.attention.layer_norm_rms_epsilon", 1e-5, file.where());
  json["rope_theta"] = json_get_or<double>(meta, "llama.rope.freq_base", 10000, file.where());
  json["tie_word_embeddings"] = !file.entries().contains("output.weight");
  const auto embeddings = file.entries().find("token_embd.weight");
  if (embeddings == file.entries().end() || embeddings->second.shape.rank() != 2) {
    throw UserError(file.where(), "expected the tensor token_embd.weight of two dimensions");
  }
  json["vocab_size"] = embeddings->second.shape[0];
  if (meta.contains("llama.attention.key_length")) json["head_dim"] = integer(file, "llama.attention.key_length");
  if (file.entries().contains("rope_freqs.weight")) {
    throw UserError(file.where(), "expected rotary embeddings without scaling, got rope_freqs.weight");
  }
  return json;
}

Json gguf_tokenizer(const GgufFile& file) {
  const Json& meta = file.metadata();
  const auto model = json_get<std::string>(meta, "tokenizer.ggml.model", file.where());
  const auto split = json_get_or<std::string>(meta, "tokenizer.ggml.pre", "default", file.where());
  if (model != "gpt2" || (split != "gpt-2" && split != "smollm" && split != "default")) {
    throw UserError(file.where(), concat("expected the tokenizer gpt2 with the splits gpt-2 or smollm, got ", model,
                                         " with ", split));
  }
  const auto tokens = json_get<std::vector<std::string>>(meta, "tokenizer.ggml.tokens", file.where());
  const auto types = json_get_or<std::vector<int64_t>>(meta, "tokenizer.ggml.token_type", {}, file.where());
  Json vocabulary = Json::object(), added = Json::array(), merges = Json::array();
  for (size_t id = 0; id < tokens.size(); ++id) {
    vocabulary[tokens[id]] = id;
    const int64_t type = id < types.size() ? types[id] : 1;
    if (type != 3 && type != 4) continue;  // 3: control, 4: user-defined
    added.push_back({{"id", id},
                     {"content", tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", type == 3}});
  }
  for (const auto& merge : json_get<std::vector<std::string>>(meta, "tokenizer.ggml.merges", file.where())) {
    const size_t space = merge.find(' ');
    if (space == std::string::npos)
      throw UserError(file.where(), "expected merges of two parts, got \"" + merge + "\"");
    merges.push_back(Json::array({merge.substr(0, space), merge.substr(space + 1)}));
  }
  Json steps = Json::array();
  if (split == "smollm") steps.push_back({{"type", "Digits"}, {"individual_digits", true}});
  steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}});
  const Json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", steps}}},
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
            {"merges", merges}}}};
}

Tensor gguf_weight(const GgufFile& file, const std::string& name) {
  Tensor weight = file.tensor(name);
  const bool queries = name.ends_with(".attn_q.weight"), keys = name.ends_with(".attn_k.weight");
  if (!queries && !keys) return weight;
  const int64_t heads = integer(file, queries || !file.metadata().contains("llama.attention.head_count_kv")
                                          ? "llama.attention.head_count"
                                          : "llama.attention.head_count_kv");
  if (heads < 1 || weight.shape().rank() != 2 || weight.dim(0) % (2 * heads) != 0) {
    throw UserError(file.where(), concat("expected tensor ", name, " with rows for ", heads,
                                         " heads of even size, got ", weight.shape().text()));
  }
  return halves(weight, heads);
}

void write_gguf_folder(const GgufFile& file, const std::filesystem::path& folder, DType dtype) {
  Json config = gguf_config(file);
  config["dtype"] = dtype == DType::bf16 ? "bfloat16" : "float32";
  std::vector<NamedTensor> tensors;
  for (const auto& [ours, theirs] : theirs_to_ours(file)) {
    tensors.push_back({ours, as_dtype(gguf_weight(file, theirs), dtype)});
  }
  const Json tokenizer = gguf_tokenizer(file);
  Json about = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                {"model_max_length", config["max_position_embeddings"]}};
  const auto tokens = json_get<std::vector<std::string>>(file.metadata(), "tokenizer.ggml.tokens", file.where());
  const Json ids = generation_of(file);
  for (const char* name : {"bos_token", "eos_token", "pad_token"}) {
    const std::string key = concat(name, "_id");
    if (!ids.contains(key)) continue;
    const auto id = ids[key].get<int64_t>();
    if (id < 0 || id >= static_cast<int64_t>(tokens.size())) {
      throw UserError(file.where(), concat("expected ", key, " among the ", tokens.size(), " tokens, got ", id));
    }
    about[name] = tokens[static_cast<size_t>(id)];
  }
  if (file.metadata().contains("tokenizer.chat_template")) {
    about["chat_template"] = json_get<std::string>(file.metadata(), "tokenizer.chat_template", file.where());
  }
  write_model_folder(folder, config, tensors);
  const auto write = [&](const char* name, const Json& json) {
    write_file_atomically(folder / name, json_file_text(json, name));
  };
  write("generation_config.json", ids);
  write("tokenizer.json", tokenizer);
  write("tokenizer_config.json", about);
}

}  // namespace suanli::models

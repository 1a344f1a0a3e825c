/// Any bytes as config.json and as model.safetensors.index.json: UserError, or values that can be written and read
/// again as the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "formats/model_folder.h"
#include "models/bert/config.h"
#include "nn/layers.h"

/// The reader of config.json asks whether an activation exists. The real answer is in nn/ and brings every kernel with
/// it; here its contract is enough.
namespace suanli::nn {
ops::Activation activation_named(const std::string& name) {
  if (name == "gelu") return ops::Activation::gelu;
  if (name == "relu") return ops::Activation::relu;
  throw UserError("activation", "expected gelu or relu, got \"" + name + "\"");
}
}  // namespace suanli::nn

namespace {

/// Asks for the keys of a model's configuration as every type.
void ask(const suanli::Json& config) {
  for (const char* key :
       {"hidden_size", "model_type", "id2label", "layer_norm_eps", "architectures", "tie_word_embeddings"}) {
    const auto as = [&]<class T>(T) {
      try {
        suanli::json_get<T>(config, key, "input");
      } catch (const suanli::UserError&) {
      }
    };
    as(int64_t{});
    as(double{});
    as(bool{});
    as(std::string());
    as(std::vector<int64_t>());
    as(std::vector<std::string>());
  }
}

void read_as_model(const suanli::Json& config) {
  try {
    const suanli::models::BertConfig bert = suanli::models::bert_config(config, "input");
    if (bert.hidden_size < 1 || bert.heads < 1 || bert.hidden_size % bert.heads != 0) __builtin_trap();
  } catch (const suanli::UserError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const suanli::Json config = suanli::parse_json(text, "input");
    ask(config);
    read_as_model(config);
    const std::string written = suanli::json_file_text(config, "input");
    if (suanli::json_file_text(suanli::parse_json(written, "input"), "input") != written) __builtin_trap();
  } catch (const suanli::UserError&) {
  }
  try {
    for (const auto& [name, file] : suanli::parse_weight_index(text, "input")) {
      if (file.find('/') != std::string::npos || file.find('\0') != std::string::npos) __builtin_trap();
    }
  } catch (const suanli::UserError&) {
  }
  return 0;
}

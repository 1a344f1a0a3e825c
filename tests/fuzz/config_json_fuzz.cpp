/// Any bytes as config.json and as model.safetensors.index.json: UserError, or values that can be written and read
/// again as the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "formats/model_folder.h"

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const suanli::Json config = suanli::parse_json(text, "input");
    ask(config);
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

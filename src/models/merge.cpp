#include "models/merge.h"

#include <array>
#include <span>

#include "base/error.h"
#include "formats/model_folder.h"
#include "models/load.h"
#include "ops/cast.h"
#include "ops/initialize.h"

namespace suanli::models {

namespace {

/// What lies beside the weights of a model and stays the same.
constexpr std::array kBeside = {"tokenizer.json",
                                "tokenizer_config.json",
                                "special_tokens_map.json",
                                "added_tokens.json",
                                "vocab.txt",
                                "vocab.json",
                                "merges.txt",
                                "generation_config.json",
                                "chat_template.jinja"};
/// The same of a sentence transformer.
constexpr std::array kOfEmbeddings = {"modules.json", "sentence_bert_config.json", "config_sentence_transformers.json",
                                      "1_Pooling/config.json"};

}  // namespace

void write_merged_folder(const std::filesystem::path& adapter, const std::filesystem::path& output, DType dtype) {
  const std::filesystem::path base = base_model_folder(adapter);
  for (const std::filesystem::path& source : {adapter, base}) {
    if (std::filesystem::exists(output) && std::filesystem::equivalent(source, output)) {
      throw UserError(output.string(), "expected another folder than the adapter's and its base's, got the same");
    }
  }
  initialize();
  const Json json = model_json(adapter);
  const Model model = load_model(adapter, {.head = head_of(json, (adapter / "config.json").string())});
  std::vector<NamedTensor> tensors = hugging_face_tensors(model);
  for (NamedTensor& each : tensors) each.tensor = ops::cast(each.tensor, dtype);
  Json config = config_json(*model.family, model.head);
  config["dtype"] = dtype == DType::bf16 ? "bfloat16" : "float32";
  write_model_folder(output, config, tensors);
  const auto copy = [&](std::span<const char* const> names) {
    for (const char* name : names) {
      const std::filesystem::path from = folder_with(adapter, {name}) / name;
      if (!std::filesystem::exists(from)) continue;
      std::filesystem::create_directories((output / name).parent_path());
      std::filesystem::copy_file(from, output / name, std::filesystem::copy_options::overwrite_existing);
    }
  };
  copy(kBeside);
  if (model.head == Head::none) copy(kOfEmbeddings);
}

}  // namespace suanli::models

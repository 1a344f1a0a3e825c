#include "formats/checkpoint_example.h"

#include "base/concat.h"
#include "base/file.h"
#include "formats/checkpoint.h"
#include "formats/model_folder.h"
#include "formats/sentence_files.h"

namespace suanli {

void save_example(const std::filesystem::path& output_dir, int64_t step) {
  CheckpointWriter writer(output_dir, step);
  const auto value = static_cast<float>(step);
  const std::vector<NamedTensor> weights = {
      {"encoder.weight", Tensor::from(std::vector<float>(600, value), {20, 30})},
      {"encoder.bias", Tensor::from(std::vector<bfloat16>(30, bfloat16(value)), {30})}};
  write_model_folder(writer.folder(), {{"model_type", "bert"}, {"hidden_size", 30}}, weights);
  const std::vector<NamedTensor> moments = {
      {"encoder.weight.exp_avg", Tensor::from(std::vector<float>(600, -value), {20, 30})}};
  write_safetensors(writer.folder() / "optimizer.safetensors", moments);
  write_sentence_files(writer.folder(),
                       {.normalize = true, .dimension = 30, .max_length = 128, .transformer_folder = ""});
  writer.add("trainer_state.json", concat("{\n  \"global_step\": ", step, "\n}\n"));
  writer.add("rng_state.json", concat("{\"seed\": 42, \"step\": ", step, "}\n"));
  writer.commit();
}

std::map<std::string, std::string> contents_of(const std::filesystem::path& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) out[entry.path().lexically_relative(folder).string()] = read_file(entry.path());
  }
  return out;
}

}  // namespace suanli

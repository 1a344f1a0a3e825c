#include "cli/predict_images.h"

#include <algorithm>
#include <fstream>
#include <iostream>

#include "autograd/tape.h"
#include "base/error.h"
#include "cli/json_text.h"
#include "cli/predictions.h"
#include "data/image_dataset.h"
#include "data/loader.h"
#include "nn/precision.h"
#include "ops/initialize.h"
#include "train/image_classification.h"
#include "train/task_parts.h"

namespace suanli::cli {
namespace {

constexpr size_t kPictures = 64;  // answered together

bool is_picture(const std::filesystem::path& file) {
  const std::string extension = file.extension().string();
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

std::vector<std::filesystem::path> files_of(const std::string& input) {
  if (std::filesystem::is_directory(input)) return list_files(input, {".jpg", ".jpeg", ".png"});
  if (is_picture(input)) return {input};
  std::ifstream file;
  if (input != "-") file.open(input);
  if (input != "-" && !file) throw UserError(input, "expected a picture, a folder or a file of paths, cannot read it");
  std::vector<std::filesystem::path> files;
  for (std::string line; std::getline(input == "-" ? std::cin : file, line);) {
    if (!line.empty()) files.emplace_back(line);
  }
  return files;
}

}  // namespace

int predict_images(const Config& config, int64_t top_k) {
  initialize();
  const std::filesystem::path folder = config.get_string("model");
  const Device device = device_named(config.get_string("device"));
  const auto [dtype, int8] = nn::inference_precision_named(config.get_string("precision"), device);
  if (int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for a model of pictures, got int8");
  const models::Model model =
      models::load_model(folder, {.head = models::Head::image_classification, .device = device});
  const ImageClassification task(model, ImageProcessor::read(folder / "preprocessor_config.json"), {});
  const nn::Mode mode = {.training = false, .dtype = dtype};
  const auto width = static_cast<size_t>(models::label_count(model.config()));

  const std::vector<std::filesystem::path> files = files_of(config.get_string("input"));
  Output output(config.get_string("output"));
  for (size_t begin = 0; begin < files.size(); begin += kPictures) {
    const auto part = std::span(files).subspan(begin, std::min(kPictures, files.size() - begin));
    const std::vector<EncodedExample> examples = encode_rows(
        static_cast<int64_t>(part.size()), [&](int64_t i) { return task.unlabelled({part[static_cast<size_t>(i)]}); });
    const NoGradient guard;
    const std::vector<float> logits = host_values(task.logits(task.inputs(pack(examples)), mode));
    std::string text;
    for (size_t i = 0; i < part.size(); ++i) {
      text += "{\"file\": ";
      append_string(text, part[i].string());
      text += top_k > 1 ? ", \"labels\": " : ", ";
      std::string answer;
      append_classification(answer, model.config(), std::span(logits).subspan(i * width, width), top_k);
      text += top_k > 1 ? answer + "}\n" : answer.substr(1) + "\n";
    }
    output.write(text);
  }
  output.close();
  return 0;
}

}  // namespace suanli::cli

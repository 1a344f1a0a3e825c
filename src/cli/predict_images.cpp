#include "cli/predict_images.h"

#include <algorithm>
#include <functional>

#include "autograd/tape.h"
#include "base/json_text.h"
#include "cli/output.h"
#include "cli/picture_files.h"
#include "cli/picture_model.h"
#include "data/loader.h"
#include "infer/predictions.h"
#include "train/image_classification.h"
#include "train/object_detection.h"
#include "train/task_parts.h"

namespace suanli::cli {
namespace {

constexpr size_t kPictures = 64;  // answered together

/// Writes a line for each picture of --input: `lines` of a batch that `encode` read. Returns the exit code.
int answer_pictures(const Config& config, const std::function<EncodedExample(const ImageExample&)>& encode,
                    const std::function<std::string(const Batch&, std::span<const std::filesystem::path>)>& lines) {
  const std::vector<std::filesystem::path> files = picture_files(config.get_string("input"));
  Output output(config.get_string("output"));
  for (size_t begin = 0; begin < files.size(); begin += kPictures) {
    const auto part = std::span(files).subspan(begin, std::min(kPictures, files.size() - begin));
    const std::vector<EncodedExample> examples = encode_rows(
        static_cast<int64_t>(part.size()), [&](int64_t i) { return encode({part[static_cast<size_t>(i)]}); });
    const NoGradient guard;
    output.write(lines(pack(examples), part));
  }
  output.close();
  return 0;
}

}  // namespace

int predict_images(const Config& config, int64_t top_k) {
  const PictureModel loaded = load_picture_model(config, models::Head::image_classification);
  const ImageClassification task(loaded.model, read_picture_processor(config), {});
  const auto width = static_cast<size_t>(models::label_count(loaded.model.config()));
  const auto lines = [&](const Batch& batch, std::span<const std::filesystem::path> files) {
    const std::vector<float> logits = host_values(task.logits(task.inputs(batch), loaded.mode));
    std::string text;
    for (size_t i = 0; i < files.size(); ++i) {
      text += "{\"file\": ";
      append_string(text, files[i].string());
      text += top_k > 1 ? ", \"labels\": " : ", ";
      std::string answer;
      infer::append_classification(answer, loaded.model.config(), std::span(logits).subspan(i * width, width), top_k);
      text += top_k > 1 ? answer + "}\n" : answer.substr(1) + "\n";
    }
    return text;
  };
  return answer_pictures(
      config, [&](const ImageExample& picture) { return task.unlabelled(picture); }, lines);
}

int predict_objects(const Config& config) {
  const PictureModel loaded = load_picture_model(config, models::Head::object_detection);
  const ObjectDetection task(loaded.model, read_picture_processor(config), {});
  const auto lines = [&](const Batch& batch, std::span<const std::filesystem::path>) {
    std::string text;
    for (const auto& found : task.found(batch, loaded.mode)) text += detections_text(found, task.labels()) + "\n";
    return text;
  };
  return answer_pictures(
      config, [&](const ImageExample& picture) { return task.unlabelled(picture); }, lines);
}

}  // namespace suanli::cli

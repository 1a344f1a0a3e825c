#include "cli/predict_images.h"

#include <algorithm>
#include <functional>
#include <set>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_text.h"
#include "cli/output.h"
#include "cli/picture_files.h"
#include "data/loader.h"
#include "infer/picture_model.h"

namespace suanli::cli {
namespace {

using models::Head;

constexpr size_t kPictures = 64;  // answered together

/// A name in `folder` that no earlier picture has taken: STEM.png, else STEM_2.png, ...
std::filesystem::path mask_file(const std::filesystem::path& folder, const std::filesystem::path& picture,
                                std::set<std::string>* taken) {
  std::string name = picture.stem().string() + ".png";
  for (int i = 2; !taken->insert(name).second; ++i) name = concat(picture.stem().string(), "_", i, ".png");
  return folder / name;
}

std::filesystem::path enlarged_file(const std::filesystem::path& folder, const std::filesystem::path& picture,
                                    std::set<std::string>* taken) {
  std::filesystem::path place = folder / picture.stem().concat(".png");
  if (!taken->insert(place.filename().string()).second) {
    throw UserError(picture.string(), concat("expected pictures of different names, ", place.string(), " is taken"));
  }
  return place;
}

/// What stands behind the file's name.
std::string rest_of_line(Head head, const infer::Prediction& answer, int64_t top_k) {
  switch (head) {
    case Head::image_classification:
      return top_k > 1 ? "\"labels\": " + answer.json + "}" : answer.json.substr(1);
    case Head::keypoint_detection:
      return "\"key_points\": " + answer.json + "}";
    case Head::semantic_segmentation:
      return "\"segments\": " + answer.json + "}";
    default:
      return answer.json.substr(1);
  }
}

}  // namespace

int predict_images(const Config& config, Head head, int64_t top_k) {
  const bool masks = head == Head::semantic_segmentation, enlarges = head == Head::image_super_resolution;
  const std::filesystem::path folder = masks || enlarges ? config.get_string("output_dir") : "";
  const infer::PictureModel model(config.get_string("model"), head, config.get_string("device"),
                                  config.get_string("precision"));
  if (!folder.empty()) std::filesystem::create_directories(folder);
  const std::vector<std::filesystem::path> files = picture_files(config.get_string("input"));
  Output output(config.get_string("output"));
  std::set<std::string> taken;
  const size_t together = head == Head::image_classification || head == Head::object_detection ? kPictures : 1;
  for (size_t begin = 0; begin < files.size(); begin += together) {
    const auto part = std::span(files).subspan(begin, std::min(together, files.size() - begin));
    std::vector<infer::Prepared> prepared(part.size());
    encode_rows(std::ssize(part), [&](int64_t i) {
      const auto at = static_cast<size_t>(i);
      prepared[at] = model.prepare(read_image(part[at], model.decode_options()));
      return EncodedExample();
    });
    const std::vector<infer::Prediction> answers = model.predict(prepared, top_k);
    std::string text;
    for (size_t i = 0; i < answers.size(); ++i) {
      if (head == Head::object_detection) {
        text += answers[i].json + "\n";
        continue;
      }
      text += "{\"file\": ";
      append_string(text, part[i].string());
      text += ", ";
      if (!folder.empty()) {
        const auto place = masks ? mask_file(folder, part[i], &taken) : enlarged_file(folder, part[i], &taken);
        write_file_atomically(place, answers[i].png);
        text += masks ? "\"mask\": " : "\"output\": ";
        append_string(text, place.string());
        text += ", ";
      }
      text += rest_of_line(head, answers[i], top_k) + "\n";
    }
    output.write(text);
  }
  output.close();
  return 0;
}

}  // namespace suanli::cli

#include "cli/session_pictures.h"

#include "base/error.h"
#include "data/model_input.h"

namespace suanli::cli {
namespace {

constexpr const char* kPicturesRequest = "request of the session";
constexpr size_t kAnswerStride = 97;  // every so many values are shown

class PictureLoading final : public SessionWork {
 public:
  explicit PictureLoading(const Json& request) {
    const std::string file = json_get<std::string>(request, "work", kPicturesRequest);
    const Json work = read_json(file);
    for (const auto& each : json_get<std::vector<std::string>>(work, "files", file)) pictures_.push_back({each});
    const auto size = json_get<int64_t>(work, "size", file);
    options_.processor.height = options_.processor.width = size;
    options_.processor.image_mean = {0.485, 0.456, 0.406};
    options_.processor.image_std = {0.229, 0.224, 0.225};
    options_.augment = {.hsv_h = 0, .hsv_s = 0, .hsv_v = 0, .scale = 0.92, .fliplr = 0.5, .erasing = 0};
  }

  void run(size_t turn) override {
    const Draw draw = {.seed = 1, .epoch = static_cast<int64_t>(turn)};
    for (int64_t i = 0; i < std::ssize(pictures_); ++i) classified_input(pictures_, i, options_, draw);
  }

  Json answers() override {
    Json vectors = Json::array();
    for (int64_t i = 0; i < std::ssize(pictures_); ++i) {
      const std::vector<float> values = classified_input(pictures_, i, options_, {}).pixel_values;
      Json& some = vectors.emplace_back(Json::array());
      for (size_t j = 0; j < values.size(); j += kAnswerStride) some.push_back(values[j]);
    }
    return {{"vectors", vectors}};
  }

 private:
  std::vector<ImageExample> pictures_;
  ImageInputOptions options_;
};

}  // namespace

std::unique_ptr<SessionWork> open_pictures(const Json& request) { return std::make_unique<PictureLoading>(request); }

}  // namespace suanli::cli

#include "infer/found_objects.h"

#include <algorithm>

#include "base/concat.h"
#include "base/json_text.h"

namespace suanli::infer {

SquarePlace::SquarePlace(int64_t height, int64_t width, int64_t size)
    : place(letterbox_place(height, width, size, size)),
      scale_x(static_cast<double>(place.width) / static_cast<double>(width)),
      scale_y(static_cast<double>(place.height) / static_cast<double>(height)) {}

Box SquarePlace::to_square(const Box& box) const {
  const auto left = static_cast<double>(place.left), top = static_cast<double>(place.top);
  return {box.left * scale_x + left, box.top * scale_y + top, box.right * scale_x + left, box.bottom * scale_y + top};
}

Box SquarePlace::to_picture(const ops::CornerBox& box) const {
  const auto x = [&](float value) {
    return std::clamp((static_cast<double>(value) - static_cast<double>(place.left)) / scale_x, 0.0,
                      static_cast<double>(place.width) / scale_x);
  };
  const auto y = [&](float value) {
    return std::clamp((static_cast<double>(value) - static_cast<double>(place.top)) / scale_y, 0.0,
                      static_cast<double>(place.height) / scale_y);
  };
  return {x(box.x1), y(box.y1), x(box.x2), y(box.y2)};
}

std::vector<FoundObject> on_picture(std::span<const models::Detection> found, const SquarePlace& place) {
  std::vector<FoundObject> out;
  for (const models::Detection& each : found) {
    const Box box = place.to_picture(each.box);
    if (box.width() > 0 && box.height() > 0) out.push_back({box, each.label, each.score});
  }
  return out;
}

std::string detections_text(std::span<const FoundObject> found, const std::vector<std::string>& labels) {
  std::string text = "[";
  const auto whole = [](double value) { return static_cast<int64_t>(value); };
  for (const FoundObject& each : found) {
    text += text.size() > 1 ? ", {\"score\": " : "{\"score\": ";
    append_number(text, each.score);
    text += ", \"label\": ";
    append_string(text, labels[static_cast<size_t>(each.label)]);
    text += concat(", \"box\": {\"xmin\": ", whole(each.box.left), ", \"ymin\": ", whole(each.box.top),
                   ", \"xmax\": ", whole(each.box.right), ", \"ymax\": ", whole(each.box.bottom), "}}");
  }
  return text + "]";
}

}  // namespace suanli::infer

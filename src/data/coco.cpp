#include <algorithm>
#include <map>

#include "base/concat.h"
#include "base/error.h"
#include "base/json.h"
#include "data/image_dataset.h"

namespace suanli {
namespace {

const Json& coco_list(const Json& json, std::string_view key, std::string_view where) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) {
    throw UserError(where, concat("expected a list \"", key, "\", as in COCO's instances files"));
  }
  return *found;
}

std::vector<Point> points_of(const std::vector<double>& numbers) {
  std::vector<Point> points;
  for (size_t i = 0; i + 1 < numbers.size(); i += 2) points.push_back({numbers[i], numbers[i + 1]});
  return points;
}

ImageObject read_coco_annotation(const Json& annotation, const std::map<int64_t, int32_t>& labels,
                                 std::string_view where) {
  ImageObject object;
  const auto box = json_get<std::vector<double>>(annotation, "bbox", where);
  if (box.size() != 4 || !(box[2] >= 0 && box[3] >= 0)) {
    throw UserError(where, "expected \"bbox\" as [x, y, width, height]");
  }
  object.box = {box[0], box[1], box[0] + box[2], box[1] + box[3]};
  const auto category = json_get<int64_t>(annotation, "category_id", where);
  const auto label = labels.find(category);
  if (label == labels.end()) throw UserError(where, concat("expected a known category, got ", category));
  object.label = label->second;
  object.ignored = json_get_or<int64_t>(annotation, "iscrowd", 0, where) != 0;
  const auto outlines = annotation.find("segmentation");
  if (outlines != annotation.end() && outlines->is_array()) {  // a crowd has run lengths instead
    for (const Json& outline : *outlines) {
      if (!outline.is_array() || outline.size() < 6 || outline.size() % 2 != 0 ||
          !std::all_of(outline.begin(), outline.end(), [](const Json& n) { return n.is_number(); })) {
        throw UserError(where, "expected \"segmentation\" as lists of three or more x, y");
      }
      object.polygons.push_back(points_of(outline.get<std::vector<double>>()));
    }
  }
  const auto numbers = json_get_or<std::vector<double>>(annotation, "keypoints", {}, where);
  if (numbers.size() % 3 != 0) throw UserError(where, "expected \"keypoints\" as x, y, visibility of each");
  for (size_t i = 0; i < numbers.size(); i += 3) {
    const double visibility = numbers[i + 2];
    if (visibility != 0 && visibility != 1 && visibility != 2) {
      throw UserError(where, concat("expected a visibility 0, 1 or 2, got ", visibility));
    }
    object.key_points.push_back({{numbers[i], numbers[i + 1]}, static_cast<int32_t>(visibility)});
  }
  return object;
}

}  // namespace

ImageDataset read_coco(const std::filesystem::path& file, const std::filesystem::path& image_folder) {
  constexpr uint64_t kBytes = uint64_t{1} << 31;
  const Json json = read_json(file, kBytes);
  const std::string where = file.string();
  ImageDataset dataset;
  std::map<int64_t, std::string> categories;
  for (const Json& category : coco_list(json, "categories", where)) {
    categories[json_get<int64_t>(category, "id", where)] = json_get<std::string>(category, "name", where);
  }
  std::map<int64_t, int32_t> labels;
  for (const auto& [id, name] : categories) {
    labels[id] = static_cast<int32_t>(dataset.class_names.size());
    dataset.class_names.push_back(name);
  }
  std::map<int64_t, size_t> images;
  for (const Json& image : coco_list(json, "images", where)) {
    const auto id = json_get<int64_t>(image, "id", where);
    if (!images.emplace(id, dataset.examples.size()).second) {
      throw UserError(where, concat("expected each image once, ", id, " comes again"));
    }
    dataset.examples.push_back({image_folder / json_get<std::string>(image, "file_name", where)});
  }
  if (dataset.examples.empty()) throw UserError(where, "expected images, found none");
  int64_t number = 0;
  for (const Json& annotation : coco_list(json, "annotations", where)) {
    const std::string here = concat(where, ": annotation ", number++);
    const auto image = images.find(json_get<int64_t>(annotation, "image_id", here));
    if (image == images.end()) throw UserError(here, "expected the \"image_id\" of an image of this file");
    dataset.examples[image->second].objects.push_back(read_coco_annotation(annotation, labels, here));
  }
  return dataset;
}

}  // namespace suanli

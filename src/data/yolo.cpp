#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/yaml.h"
#include "data/image_dataset.h"

namespace suanli {
namespace {

namespace fs = std::filesystem;

struct YoloLayout {
  int64_t classes = 0;
  int64_t key_points = 0, numbers_each = 1;  ///< kpt_shape: [17, 3], or [17, 2] without visibility
};

std::vector<std::string> yolo_names(const Json& yaml, std::string_view where) {
  const auto names = yaml.find("names");
  if (names == yaml.end() || names->empty()) throw UserError(where, "expected \"names\", the list of classes");
  if (names->is_array()) return json_get<std::vector<std::string>>(yaml, "names", where);
  std::vector<std::string> result(names->size());
  for (const auto& [key, name] : names->items()) {
    size_t id = result.size();
    std::from_chars(key.data(), key.data() + key.size(), id);
    if (id >= result.size() || !name.is_string()) {
      throw UserError(where,
                      concat("expected \"names\" with the keys 0 to ", result.size() - 1, ", got \"", key, "\""));
    }
    result[id] = name.get<std::string>();
  }
  return result;
}

/// The label file of a picture: the last folder "images" of its path becomes "labels".
fs::path label_file(const fs::path& picture) {
  std::string path = picture.lexically_normal().string();
  constexpr std::string_view kImages = "/images/", kLabels = "/labels/";
  if (const size_t at = path.rfind(kImages); at != std::string::npos) path.replace(at, kImages.size(), kLabels);
  return fs::path(path).replace_extension(".txt");
}

std::vector<double> numbers_of(const std::string& line, std::string_view where) {
  std::vector<double> numbers;
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    double value = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
    if (parsed.ec != std::errc() || parsed.ptr != word.data() + word.size()) {
      throw UserError(where, concat("expected numbers, got \"", word, "\""));
    }
    numbers.push_back(value);
  }
  return numbers;
}

/// class x y w h [key points], or class x1 y1 x2 y2 x3 y3 ...: parts of the picture's sides.
ImageObject read_yolo_line(const std::vector<double>& n, const YoloLayout& layout, ImageSize size,
                           std::string_view where) {
  const double width = static_cast<double>(size.width), height = static_cast<double>(size.height);
  const int64_t count = static_cast<int64_t>(n.size());
  ImageObject object;
  object.label =
      n.empty() || !(n[0] >= 0 && n[0] < static_cast<double>(layout.classes)) ? -1 : static_cast<int32_t>(n[0]);
  if (object.label < 0 || object.label != n[0]) {
    throw UserError(where, concat("expected a class from 0 to ", layout.classes - 1, " first"));
  }
  const int64_t with_points = 5 + layout.key_points * layout.numbers_each;
  if (count == with_points) {
    object.box = {(n[1] - n[3] / 2) * width, (n[2] - n[4] / 2) * height, (n[1] + n[3] / 2) * width,
                  (n[2] + n[4] / 2) * height};
    for (size_t i = 5; i < n.size(); i += static_cast<size_t>(layout.numbers_each)) {
      const bool seen = layout.numbers_each == 3 ? n[i + 2] != 0 : n[i] != 0 || n[i + 1] != 0;
      const int32_t visibility = !seen ? 0 : layout.numbers_each == 3 && n[i + 2] == 1 ? 1 : 2;
      object.key_points.push_back({{n[i] * width, n[i + 1] * height}, visibility});
    }
  } else if (layout.key_points == 0 && count >= 7 && count % 2 == 1) {
    std::vector<Point>& outline = object.polygons.emplace_back();
    object.box = {width, height, 0, 0};
    for (size_t i = 1; i < n.size(); i += 2) {
      const Point p = outline.emplace_back(Point{n[i] * width, n[i + 1] * height});
      object.box = {std::min(object.box.left, p.x), std::min(object.box.top, p.y), std::max(object.box.right, p.x),
                    std::max(object.box.bottom, p.y)};
    }
  } else {
    throw UserError(where, concat("expected ", with_points, " numbers", layout.key_points == 0 ? " or an outline" : "",
                                  ", got ", count));
  }
  const Box& b = object.box;
  if (!(b.left <= b.right && b.top <= b.bottom && b.left > -width && b.right < 2 * width && b.top > -height &&
        b.bottom < 2 * height)) {
    throw UserError(where, "expected parts of the picture from 0 to 1");
  }
  return object;
}

std::vector<fs::path> pictures_of(const fs::path& root, const std::string& place) {
  const fs::path path = root / place;
  if (path.extension() != ".txt") return list_files(path, {".jpg", ".jpeg", ".png"});
  std::istringstream lines(read_file(path));
  std::vector<fs::path> files;
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) files.push_back(path.parent_path() / line);  // "./images/a.jpg" is beside the list
  }
  if (files.empty()) throw UserError(path.string(), "expected one picture a line, found none");
  return files;
}

}  // namespace

ImageDataset read_yolo(const fs::path& file, const std::string& split) {
  const std::string where = file.string();
  const Json yaml = read_yaml(file);
  if (!yaml.is_object()) throw UserError(where, "expected keys train, val and names, as Ultralytics' data.yaml");
  ImageDataset dataset;
  dataset.class_names = yolo_names(yaml, where);
  const auto flip_idx = json_get_or<std::vector<int64_t>>(yaml, "flip_idx", {}, where);
  YoloLayout layout{static_cast<int64_t>(dataset.class_names.size())};
  if (const auto shape = json_get_or<std::vector<int64_t>>(yaml, "kpt_shape", {}, where); !shape.empty()) {
    if (shape.size() != 2 || shape[0] < 1 || shape[0] > 1000 || (shape[1] != 2 && shape[1] != 3)) {
      throw UserError(where, "expected \"kpt_shape\" as [points, 2 or 3]");
    }
    layout.key_points = shape[0];
    layout.numbers_each = shape[1];
  }
  if (!flip_idx.empty() && static_cast<int64_t>(flip_idx.size()) != layout.key_points) {
    throw UserError(where, concat("expected \"flip_idx\" with ", layout.key_points, " numbers"));
  }
  for (const int64_t point : flip_idx) {
    if (point < 0 || point >= layout.key_points) throw UserError(where, concat("\"flip_idx\" has no point ", point));
    dataset.flip_idx.push_back(static_cast<int32_t>(point));
  }
  const fs::path root = file.parent_path() / json_get_or<std::string>(yaml, "path", "", where);
  std::vector<std::string> places;
  const auto place = yaml.find(split);
  if (place != yaml.end() && place->is_array()) {
    places = json_get<std::vector<std::string>>(yaml, split, where);
  } else {
    places = {json_get<std::string>(yaml, split, where)};
  }
  for (const std::string& name : places) {
    for (const fs::path& picture : pictures_of(root, name)) {
      ImageExample& example = dataset.examples.emplace_back(ImageExample{picture});
      const fs::path labels = label_file(picture);
      if (!fs::exists(labels)) continue;
      const ImageSize size = read_image_size(picture);
      std::istringstream lines(read_file(labels));
      int64_t number = 0;
      for (std::string line; std::getline(lines, line);) {
        const std::string here = concat(labels, ":", ++number);
        const std::vector<double> numbers = numbers_of(line, here);
        if (!numbers.empty()) example.objects.push_back(read_yolo_line(numbers, layout, size, here));
      }
    }
  }
  return dataset;
}

}  // namespace suanli

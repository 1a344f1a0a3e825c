#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <sstream>

#include <pugixml.hpp>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "data/image_dataset.h"

namespace suanli {
namespace {

struct VocAnnotation {
  ImageExample example;
  std::vector<std::string> names;  ///< of the objects
};

VocAnnotation read_voc_annotation(const std::filesystem::path& file, const std::filesystem::path& pictures) {
  constexpr uint64_t kBytes = uint64_t{64} << 20;
  const std::string text = read_file(file, kBytes), where = file.string();
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(text.data(), text.size());
  const pugi::xml_node root = document.child("annotation");
  if (!parsed || !root) {
    throw UserError(where, concat("expected Pascal VOC's <annotation>, got: ", parsed ? "none" : parsed.description()));
  }
  VocAnnotation annotation;
  annotation.example.file = pictures / root.child("filename").text().as_string();
  for (const pugi::xml_node node : root.children("object")) {
    const pugi::xml_node bounds = node.child("bndbox");
    const auto side = [&](const char* name) {
      const char* const number = bounds.child(name).text().as_string();
      char* end = nullptr;
      const double value = std::strtod(number, &end);
      return end == number ? std::nan("") : value;
    };
    ImageObject object{{side("xmin") - 1, side("ymin") - 1, side("xmax"), side("ymax")}};
    annotation.names.emplace_back(node.child("name").text().as_string());
    if (annotation.names.back().empty() || !(object.box.width() >= 0 && object.box.height() >= 0)) {
      throw UserError(where, concat("expected object ", annotation.names.size(),
                                    " with a <name> and a <bndbox> of rising numbers"));
    }
    object.ignored = node.child("difficult").text().as_int() != 0;
    annotation.example.objects.push_back(std::move(object));
  }
  return annotation;
}

/// The first word of each line: Main/<class>_<split>.txt has a sign behind it.
std::vector<std::filesystem::path> split_files(const std::filesystem::path& folder, const std::string& split) {
  std::istringstream lines(read_file(folder / "ImageSets" / "Main" / (split + ".txt")));
  std::vector<std::filesystem::path> files;
  for (std::string line; std::getline(lines, line);) {
    std::string name;
    if (std::istringstream(line) >> name) files.push_back(folder / "Annotations" / (name + ".xml"));
  }
  if (files.empty()) throw UserError((folder / "ImageSets/Main").string(), concat("expected names in ", split, ".txt"));
  return files;
}

}  // namespace

ImageDataset read_voc(const std::filesystem::path& folder, const std::string& split,
                      std::vector<std::string> class_names) {
  const auto files = split.empty() ? list_files(folder / "Annotations", {".xml"}) : split_files(folder, split);
  std::vector<VocAnnotation> annotations;
  std::set<std::string> seen;
  for (const auto& file : files) {
    annotations.push_back(read_voc_annotation(file, folder / "JPEGImages"));
    seen.insert(annotations.back().names.begin(), annotations.back().names.end());
  }
  ImageDataset dataset;
  dataset.class_names = class_names.empty() ? std::vector<std::string>(seen.begin(), seen.end()) : class_names;
  for (size_t i = 0; i < annotations.size(); ++i) {
    VocAnnotation& annotation = annotations[i];
    for (size_t k = 0; k < annotation.names.size(); ++k) {
      const auto& names = dataset.class_names;
      const auto name = std::find(names.begin(), names.end(), annotation.names[k]);
      if (name == names.end()) {
        throw UserError(files[i].string(),
                        concat("expected one of the ", names.size(), " classes, got \"", annotation.names[k], "\""));
      }
      annotation.example.objects[k].label = static_cast<int32_t>(name - names.begin());
    }
    dataset.examples.push_back(std::move(annotation.example));
  }
  return dataset;
}

}  // namespace suanli

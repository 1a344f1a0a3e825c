#include "base/error.h"
#include "data/image_dataset.h"

namespace suanli {

namespace {

/// The pictures of a json of COCO: beside annotations/ in the folder called as the end of its name
/// (annotations/instances_val2017.json: val2017), else with it.
std::filesystem::path pictures_of(const std::filesystem::path& json) {
  const std::string stem = json.stem().string();
  const std::filesystem::path beside = json.parent_path().parent_path() / stem.substr(stem.rfind('_') + 1);
  return std::filesystem::is_directory(beside) ? beside : json.parent_path();
}

}  // namespace

ImageDataset read_annotated_images(const std::filesystem::path& file_or_folder, const std::string& part) {
  const std::filesystem::path parent = file_or_folder.parent_path(), extension = file_or_folder.extension();
  if (std::filesystem::exists(file_or_folder / "Annotations")) return read_voc(file_or_folder, "");
  if (parent.filename() == "Main" && extension == ".txt") {
    return read_voc(parent.parent_path().parent_path(), file_or_folder.stem().string());
  }
  if (extension == ".json") return read_coco(file_or_folder, pictures_of(file_or_folder));
  if (extension == ".yaml" || extension == ".yml") return read_yolo(file_or_folder, part);
  return read_image_folder(file_or_folder);
}

}  // namespace suanli

#include <algorithm>
#include <cctype>

#include "base/concat.h"
#include "base/error.h"
#include "base/json.h"
#include "data/example.h"
#include "data/image_dataset.h"
#include "data/rows.h"

namespace suanli {
namespace {

namespace fs = std::filesystem;

fs::path existing(const fs::path& file, std::string_view where) {
  if (!fs::is_regular_file(file)) throw UserError(where, concat("expected the file ", file, ", it is not there"));
  return file;
}

void read_objects(const Json& objects, std::string_view where, ImageExample* example, int32_t* classes) {
  constexpr int64_t kClasses = 1'000'000;
  const auto categories = json_get<std::vector<int64_t>>(objects, "categories", where);
  const auto boxes = objects.find("bbox");
  if (boxes == objects.end() || !boxes->is_array() || boxes->size() != categories.size()) {
    throw UserError(where, concat("expected \"bbox\" with one box for each of the ", categories.size(), " categories"));
  }
  for (size_t i = 0; i < categories.size(); ++i) {
    const Json& box = boxes->at(i);
    const bool numbers = box.is_array() && box.size() == 4 &&
                         std::all_of(box.begin(), box.end(), [](const Json& n) { return n.is_number(); });
    const auto b = numbers ? box.get<std::vector<double>>() : std::vector<double>{0, 0, -1, -1};
    if (!(b[2] >= 0 && b[3] >= 0) || categories[i] < 0 || categories[i] >= kClasses) {
      throw UserError(where, concat("expected box ", i, " as [x, y, width, height] with a category from 0"));
    }
    const auto label = static_cast<int32_t>(categories[i]);
    example->objects.push_back({{b[0], b[1], b[0] + b[2], b[1] + b[3]}, label});
    *classes = std::max(*classes, label + 1);
  }
}

ImageDataset from_metadata(const fs::path& folder, const fs::path& metadata) {
  ImageDataset dataset;
  std::vector<std::string> labels;  // one a row, or empty
  int32_t classes = 0;
  const auto rows = open_rows(metadata, {});
  static_cast<void>(rows->column("file_name"));
  for (Row row; rows->next(&row);) {
    const std::string where = concat(metadata, ":", row.line);
    const auto cell = [&](std::string_view name) -> std::string {
      const auto& columns = rows->columns();
      const auto at = static_cast<size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
      return at < row.cells.size() ? row.cells[at] : "";
    };
    ImageExample example;
    example.file = existing(folder / cell("file_name"), where);
    example.text = cell("text");
    if (const std::string mask = cell("mask_file_name"); !mask.empty()) example.mask = existing(folder / mask, where);
    if (const std::string objects = cell("objects"); !objects.empty()) {
      read_objects(parse_json(objects, where), where, &example, &classes);
    }
    labels.push_back(cell("label"));
    dataset.examples.push_back(std::move(example));
  }
  if (dataset.examples.empty()) throw UserError(metadata.string(), "expected rows, found none");
  std::vector<Example> named;
  for (const std::string& label : labels) {
    if (!label.empty()) named.emplace_back().labels = {label};
  }
  if (named.empty()) {
    for (int32_t i = 0; i < classes; ++i) dataset.class_names.push_back(std::to_string(i));
    return dataset;
  }
  const LabelTable table = LabelTable::from_examples(named);
  for (size_t i = 0; i < labels.size(); ++i) dataset.examples[i].label = static_cast<int32_t>(table.find(labels[i]));
  dataset.class_names = table.names();
  return dataset;
}

ImageDataset from_class_folders(const fs::path& folder, const std::vector<std::string>& extensions) {
  ImageDataset dataset;
  std::vector<Example> named;
  const std::vector<fs::path> files = list_files(folder, extensions);
  for (const fs::path& file : files) {
    if (file.parent_path() != folder) named.emplace_back().labels = {file.parent_path().filename().string()};
  }
  const LabelTable table = named.empty() ? LabelTable() : LabelTable::from_examples(named);
  for (const fs::path& file : files) {
    ImageExample example{file};
    if (file.parent_path() != folder) {
      example.label = static_cast<int32_t>(table.find(file.parent_path().filename().string()));
    }
    dataset.examples.push_back(std::move(example));
  }
  dataset.class_names = table.names();
  return dataset;
}

ImageDataset read_folder(const fs::path& folder, const std::vector<std::string>& extensions) {
  if (!fs::is_directory(folder)) throw UserError(folder.string(), "expected a folder, it is not there");
  for (const char* name : {"metadata.jsonl", "metadata.csv"}) {
    if (fs::exists(folder / name)) return from_metadata(folder, folder / name);
  }
  const fs::path normal = folder.lexically_normal();  // "pictures/" is "pictures"
  return from_class_folders(normal.has_filename() ? normal : normal.parent_path(), extensions);
}

}  // namespace

std::vector<fs::path> list_files(const fs::path& folder, const std::vector<std::string>& extensions) {
  if (!fs::is_directory(folder)) throw UserError(folder.string(), "expected a folder, it is not there");
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::string extension = entry.path().extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool wanted = std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
    if (wanted && entry.is_regular_file()) files.push_back(entry.path());
  }
  if (files.empty()) {
    throw UserError(folder.string(), concat("expected files that end in ", extensions.front(), ", found none"));
  }
  std::sort(files.begin(), files.end());
  return files;
}

ImageDataset read_image_folder(const fs::path& folder) { return read_folder(folder, {".jpg", ".jpeg", ".png"}); }

ImageDataset read_audio_folder(const fs::path& folder) { return read_folder(folder, {".wav", ".flac", ".ogg"}); }

}  // namespace suanli

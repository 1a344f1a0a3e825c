#include "cli/picture_files.h"

#include <fstream>
#include <iostream>

#include "base/error.h"
#include "data/image_dataset.h"

namespace suanli::cli {
namespace {

bool is_picture(const std::filesystem::path& file) {
  const std::string extension = file.extension().string();
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

}  // namespace

std::vector<std::filesystem::path> picture_files(const std::string& input) {
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

}  // namespace suanli::cli

/// Which pictures the option --input of predictions means.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace suanli::cli {

/// `input`: a picture, a folder of them, or a file with the path of one a line; - for standard input. Throws UserError
/// where it cannot be read.
std::vector<std::filesystem::path> picture_files(const std::string& input);

}  // namespace suanli::cli

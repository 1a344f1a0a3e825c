/// The checkpoints that the tests save: the files of a real one, small.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace suanli {

/// Saves `output_dir`/checkpoint-`step` with weights, optimizer state and JSON files that depend on `step`.
void save_example(const std::filesystem::path& output_dir, int64_t step);

/// Path inside the folder and content of every file.
std::map<std::string, std::string> contents_of(const std::filesystem::path& folder);

}  // namespace suanli

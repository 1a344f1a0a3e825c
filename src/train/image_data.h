/// What runs over pictures do with their data before there is a task; internal to train/.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/json.h"
#include "data/batch.h"
#include "data/image_dataset.h"
#include "image/processor.h"
#include "train/arguments.h"

namespace suanli {

struct Run;

struct ImageParts {
  ImageDataset train, validation, test;
};

/// Reads a file or folder; `part`: "train", "val" or "test", for files that hold several.
using ReadImages = std::function<ImageDataset(const std::filesystem::path& file, const std::string& part)>;

/// What the run uses of its files, each by `read`; where it has no file for a part, a share of the training pictures of
/// each class. With on_bad_row "skip" pictures that `load` throws UserError for are left out, each with a warning.
/// Throws UserError, also where none is left.
ImageParts read_image_parts(const TrainArguments& a, const ReadImages& read, void (*load)(const ImageExample&));

/// The processor of the model's folder, or a new one of the size in config.json, fitted to the training pictures.
ImageProcessor processor_of(const TrainArguments& a, const Json& model_json, const ImageDataset& train);

/// Throws UserError for a processor that does not make squares of whole pictures; `purpose`: what they are for.
void expect_squares(const ImageProcessor& processor, const char* purpose);

using AddPictures = std::function<std::vector<EncodedExample>(std::vector<ImageExample> pictures, bool training)>;

/// Gives `add` the pictures of each part that the run uses, no more than it wants of each, and keeps the rows.
void keep_rows(ImageParts parts, const AddPictures& add, Run& run);

/// Writes preprocessor_config.json.
void write_processor(const std::filesystem::path& folder, const ImageProcessor& processor);

}  // namespace suanli

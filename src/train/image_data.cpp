#include "train/image_data.h"

#include <algorithm>
#include <cmath>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "data/loader.h"
#include "data/model_input.h"
#include "data/split.h"
#include "train/prepare.h"
#include "train/trainer_state.h"

namespace suanli {

namespace {

/// The examples at `rows`.
ImageDataset part_of(const ImageDataset& all, const std::vector<int64_t>& rows) {
  ImageDataset part = {{}, all.class_names, all.flip_idx};
  for (const int64_t row : rows) part.examples.push_back(all.examples[static_cast<size_t>(row)]);
  return part;
}

/// Leaves out the pictures that `load` throws UserError for, each with a warning. Throws UserError where none is left.
void leave_out_unreadable(ImageDataset& data, void (*load)(const ImageExample&)) {
  std::vector<ImageExample>& all = data.examples;
  std::vector<uint8_t> sound(all.size(), 1);
  encode_rows(static_cast<int64_t>(all.size()), [&](int64_t i) {
    try {
      load(all[static_cast<size_t>(i)]);
    } catch (const UserError& error) {
      log_warning(concat("left out: ", error.what()));
      sound[static_cast<size_t>(i)] = 0;
    }
    return EncodedExample();
  });
  std::vector<ImageExample> kept;
  for (size_t i = 0; i < all.size(); ++i) {
    if (sound[i] != 0) kept.push_back(std::move(all[i]));
  }
  if (kept.size() < sound.size()) {
    log_warning(concat(sound.size() - kept.size(), " of ", sound.size(), " pictures could not be read"));
  }
  if (kept.empty()) throw UserError("data", "expected at least one picture, got none that can be read");
  all = std::move(kept);
}

}  // namespace

ImageParts read_image_parts(const TrainArguments& a, const ReadImages& read, void (*load)(const ImageExample&)) {
  const auto read_part = [&](const std::string& path, const char* part) {
    ImageDataset data = read(path, part);
    if (a.reader.on_bad_row == OnBadRow::skip) leave_out_unreadable(data, load);
    return data;
  };
  ImageParts parts;
  const SplitFractions fractions = {a.validation_split, a.test_split};
  const bool splits = fractions.validation > 0 || fractions.test > 0;
  if (!a.train_file.empty() && (a.do_train || splits)) parts.train = read_part(a.train_file, "train");
  if (splits) {
    std::vector<int64_t> classes;  // -1: none
    for (const ImageExample& example : parts.train.examples) classes.push_back(std::max(example.label, 0));
    const Split split = split_rows(classes, fractions, a.data_seed);
    parts.validation = part_of(parts.train, split.validation);
    parts.test = part_of(parts.train, split.test);
    parts.train = part_of(parts.train, split.train);
  }
  const bool evaluates = a.do_eval || a.eval_strategy != Interval::no;
  if (!a.validation_file.empty() && evaluates) parts.validation = read_part(a.validation_file, "val");
  if (!a.test_file.empty() && a.do_predict) parts.test = read_part(a.test_file, "test");
  return parts;
}

namespace {

constexpr const char* kProcessorFile = "preprocessor_config.json";

/// Mean and standard deviation of each channel over training pictures as the network gets them, at most 1000 of them.
void fit_normalization(const std::vector<ImageExample>& pictures, ImageProcessor& processor) {
  constexpr size_t kMost = 1000;
  const auto depth = static_cast<size_t>(processor.channels());
  std::vector<double> sums(depth), squares(depth);
  double pixels = 0;
  const size_t step = (pictures.size() + kMost - 1) / kMost;
  for (size_t i = 0; i < pictures.size(); i += step) {
    const Image image = processor.resized(load_image(pictures[i], decode_options(processor)));
    for (size_t at = 0; at < image.values.size(); ++at) {
      const double value = image.values[at] * processor.rescale_factor;
      sums[at % depth] += value;
      squares[at % depth] += value * value;
    }
    pixels += static_cast<double>(image.height * image.width);
  }
  for (size_t c = 0; c < depth; ++c) {
    const double mean = sums[c] / pixels, deviation = std::sqrt(std::max(0.0, squares[c] / pixels - mean * mean));
    processor.image_mean[c] = mean;
    processor.image_std[c] = deviation > 1e-6 ? deviation : 1;
  }
}

}  // namespace

ImageProcessor processor_of(const TrainArguments& a, const Json& model_json, const ImageDataset& train) {
  const std::filesystem::path file = std::filesystem::path(a.model_name_or_path) / kProcessorFile;
  const bool read = !a.model_name_or_path.empty() && std::filesystem::exists(file);
  ImageProcessor processor = read ? ImageProcessor::read(file) : ImageProcessor();
  const int64_t size =
      a.image_size > 0 ? a.image_size : json_get_or<int64_t>(model_json, "image_size", 0, "config.json");
  if (a.image_size > 0 || !read) {
    processor.height = processor.width = size > 0 ? size : 224;
    processor.shortest_edge = processor.longest_edge = 0;
    processor.do_center_crop = false;
  }
  if (read) return processor;
  const auto depth = static_cast<size_t>(json_get_or<int64_t>(model_json, "num_channels", 3, "config.json"));
  if (depth != 1 && depth != 3) throw UserError("config.json", concat("expected num_channels 1 or 3, got ", depth));
  processor.image_mean.assign(depth, 0.5);
  processor.image_std.assign(depth, 0.5);
  if (!train.examples.empty()) fit_normalization(train.examples, processor);
  return processor;
}

void expect_squares(const ImageProcessor& processor, const char* purpose) {
  if (processor.height >= 1 && processor.height == processor.width && !processor.do_center_crop) return;
  throw UserError(kProcessorFile, concat("expected a \"size\" as high as wide, without a crop, for ", purpose, ", got ",
                                         processor.height, " x ", processor.width));
}

void keep_rows(ImageParts parts, const AddPictures& add, Run& run) {
  const auto rows = [&](ImageDataset& data, int64_t limit, bool training) {
    std::vector<ImageExample>& all = data.examples;
    if (limit >= 0 && static_cast<size_t>(limit) < all.size()) all.resize(static_cast<size_t>(limit));
    return all.empty() ? Dataset() : Dataset{add(std::move(all), training)};
  };
  const TrainArguments& a = run.arguments;
  if (a.do_train) run.train = rows(parts.train, a.max_train_samples, true);
  run.validation = rows(parts.validation, a.max_eval_samples, false);
  run.test = rows(parts.test, a.max_predict_samples, false);
}

void write_processor(const std::filesystem::path& folder, const ImageProcessor& processor) {
  write_file_atomically(folder / kProcessorFile, json_text(processor.to_json()));
}

}  // namespace suanli

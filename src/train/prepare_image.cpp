#include <cmath>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "data/loader.h"
#include "data/split.h"
#include "train/image_classification.h"
#include "train/prepare.h"

namespace suanli {
namespace {

constexpr const char* kProcessorFile = "preprocessor_config.json";

struct ImageParts {
  ImageDataset train, validation, test;
};

/// The examples at `rows`.
ImageDataset part_of(const ImageDataset& all, const std::vector<int64_t>& rows) {
  ImageDataset part = {{}, all.class_names, all.flip_idx};
  for (const int64_t row : rows) part.examples.push_back(all.examples[static_cast<size_t>(row)]);
  return part;
}

/// Leaves out the pictures that cannot be read, each with a warning. Throws UserError where none is left.
void leave_out_unreadable(ImageDataset& data) {
  std::vector<ImageExample>& all = data.examples;
  std::vector<uint8_t> sound(all.size(), 1);
  encode_rows(static_cast<int64_t>(all.size()), [&](int64_t i) {
    try {
      static_cast<void>(load_image(all[static_cast<size_t>(i)]));
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

ImageDataset read_part(const std::string& path, const TrainArguments& a) {
  ImageDataset data = read_classified_images(path);
  if (a.reader.on_bad_row == OnBadRow::skip) leave_out_unreadable(data);
  return data;
}

/// What the run uses of its files; where it has no file for a part, a share of the training pictures of each class.
ImageParts read_parts(const TrainArguments& a) {
  ImageParts parts;
  const SplitFractions fractions = {a.validation_split, a.test_split};
  const bool splits = fractions.validation > 0 || fractions.test > 0;
  if (!a.train_file.empty() && (a.do_train || splits)) parts.train = read_part(a.train_file, a);
  if (splits) {
    std::vector<int64_t> classes;
    for (const ImageExample& example : parts.train.examples) classes.push_back(example.label);
    const Split split = split_rows(classes, fractions, a.data_seed);
    parts.validation = part_of(parts.train, split.validation);
    parts.test = part_of(parts.train, split.test);
    parts.train = part_of(parts.train, split.train);
  }
  const bool evaluates = a.do_eval || a.eval_strategy != Interval::no;
  if (!a.validation_file.empty() && evaluates) parts.validation = read_part(a.validation_file, a);
  if (!a.test_file.empty() && a.do_predict) parts.test = read_part(a.test_file, a);
  return parts;
}

/// Gives the pictures the ids that `labels` has for the names of their classes.
void relabel(ImageDataset& data, const LabelTable& labels) {
  std::vector<int32_t> ids;
  for (const std::string& name : data.class_names) ids.push_back(static_cast<int32_t>(labels.find(name)));
  for (ImageExample& example : data.examples) {
    const auto old = static_cast<size_t>(example.label);
    if (ids[old] < 0) static_cast<void>(labels.id(data.class_names[old], example.file.string()));  // names the nearest
    example.label = ids[old];
  }
}

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

/// The processor of the model's folder, or a new one of the size in config.json, fitted to the training pictures.
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

}  // namespace

void prepare_image(const Json& model_json, Run& run) {
  const TrainArguments& a = run.arguments;
  if (run.precision.int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for pictures, got int8");
  ImageParts parts = read_parts(a);
  const std::vector<std::string> known = models::config_labels(model_json, "config.json");
  const LabelTable labels = parts.train.class_names.empty() ? LabelTable::from_names(known)
                                                            : classes_of(parts.train.class_names, known, a.continues);
  const ImageProcessor processor = processor_of(a, model_json, parts.train);
  run.model = make_model(run, model_json, labels.names());

  auto owned = std::make_unique<ImageClassification>(
      run.model, processor,
      ImageClassificationOptions{.augment = a.augment, .seed = a.seed, .label_smoothing = a.label_smoothing_factor});
  const auto rows = [&, task = owned.get()](ImageDataset& data, int64_t limit) {
    if (data.examples.empty()) return Dataset();
    relabel(data, labels);
    if (limit >= 0 && static_cast<size_t>(limit) < data.examples.size()) {
      data.examples.resize(static_cast<size_t>(limit));
    }
    return Dataset{task->add(std::move(data.examples))};
  };
  if (a.do_train) run.train = rows(parts.train, a.max_train_samples);
  run.validation = rows(parts.validation, a.max_eval_samples);
  run.test = rows(parts.test, a.max_predict_samples);
  run.task = std::move(owned);
  run.write_others = [processor](const std::filesystem::path& folder) {
    write_file_atomically(folder / kProcessorFile, json_text(processor.to_json()));
  };
}

}  // namespace suanli

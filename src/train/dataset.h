/// The data of a run: files to examples, a split where asked, examples to rows of tokens.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/encoded_cache.h"
#include "data/example.h"
#include "train/arguments.h"
#include "train/task.h"

namespace suanli {

/// Examples with the name of the file they came from, for messages.
struct ExampleSet {
  std::string file;
  std::vector<Example> examples;
};

struct RunData {
  ExampleSet train, validation, test;
  ExampleSet replay, old_validation;  ///< of the data that a model continues from
};

/// Reads the files that the arguments name, only as far as do_train, do_eval and do_predict need them, and splits the
/// training file where no file is given for a part: stratified by label; running text at its end. Throws UserError.
RunData read_data(const TrainArguments& arguments, LabelKind labels);

/// The classes of a task: those of the training examples, in the model's order where it has the same names; without
/// training examples those of the model. With `continues` those of the model and behind them the new ones. Empty for
/// kinds without classes.
LabelTable labels_of(const RunData& data, LabelKind kind, const std::vector<std::string>& model_labels,
                     bool continues = false);

/// The classes of a task whose training data has those of `found`, in the order that labels_of() tells.
LabelTable classes_of(const std::vector<std::string>& found, const std::vector<std::string>& model_labels,
                      bool continues);

/// Rows ready for batches.
struct Dataset {
  std::vector<EncodedExample> rows;
  std::vector<int64_t> lengths() const;
};

/// Where encoded rows are kept between runs; the key stands for everything but the examples: task, lengths, labels,
/// tokenizer.
struct DatasetCache {
  std::filesystem::path folder;
  CacheKey key;
};

/// Encodes on all threads, or takes the rows from the cache where they have been encoded by the same key before;
/// `limit` keeps the first so many rows (-1: all). Throws UserError naming file and line.
Dataset make_dataset(const Task& task, const ExampleSet& set, int64_t limit, const DatasetCache* cache = nullptr);

}  // namespace suanli

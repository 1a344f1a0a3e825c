#include "train/dataset.h"

#include <algorithm>
#include <bit>

#include "base/concat.h"
#include "base/error.h"
#include "base/profile.h"
#include "data/loader.h"
#include "data/split.h"

namespace suanli {
namespace {

ExampleSet read_set(const std::string& file, const TrainArguments& arguments, LabelKind labels) {
  ReaderOptions options = arguments.reader;
  options.labels = labels;
  return {file, read_examples(file, options)};
}

/// Moves the examples at `rows` out of `set`.
ExampleSet take(ExampleSet& set, const std::vector<int64_t>& rows) {
  ExampleSet part = {set.file, {}};
  for (const int64_t row : rows) part.examples.push_back(std::move(set.examples[static_cast<size_t>(row)]));
  return part;
}

/// Running text keeps its order: the test part is its end, the validation part what stands before that.
Split tail_split(int64_t rows, const SplitFractions& fractions) {
  const auto count = [&](double share) { return static_cast<int64_t>(share * static_cast<double>(rows) + 0.5); };
  const int64_t test = rows - count(fractions.test), validation = test - count(fractions.validation);
  Split split;
  for (int64_t row = 0; row < rows; ++row) {
    (row < validation ? split.train : row < test ? split.validation : split.test).push_back(row);
  }
  return split;
}

/// The key with all that the examples say; where they stand in their file does not matter.
CacheKey key_with(CacheKey key, const ExampleSet& set) {
  for (const Example& example : set.examples) {
    key.add(example.text);
    key.add(example.has_pair ? concat('+', example.text_pair) : "");
    key.add(example.negative);
    key.add(concat(example.words.size(), ' ', example.labels.size(), ' ', std::bit_cast<uint64_t>(example.score)));
    for (const std::string& word : example.words) key.add(word);
    for (const std::string& label : example.labels) key.add(label);
  }
  return key;
}

}  // namespace

RunData read_data(const TrainArguments& arguments, LabelKind labels) {
  const ProfileScope scope("read data");
  RunData data;
  const bool evaluates = arguments.do_eval || arguments.eval_strategy != Interval::no;
  const SplitFractions fractions = {arguments.validation_split, arguments.test_split};
  const bool splits = fractions.validation > 0 || fractions.test > 0;
  if (!arguments.train_file.empty() && (arguments.do_train || splits)) {
    data.train = read_set(arguments.train_file, arguments, labels);
  }
  if (splits) {
    const bool pairs = !data.train.examples.empty() && data.train.examples.front().has_pair;
    const bool running_text = labels == LabelKind::none && !pairs && !arguments.line_by_line;
    const auto rows = static_cast<int64_t>(data.train.examples.size());
    const Split split = running_text ? tail_split(rows, fractions)
                                     : split_rows(strata_of(data.train.examples), fractions, arguments.data_seed);
    if (fractions.validation > 0) data.validation = take(data.train, split.validation);
    if (fractions.test > 0) data.test = take(data.train, split.test);
    data.train = take(data.train, split.train);
  }
  if (!arguments.validation_file.empty() && evaluates) {
    data.validation = read_set(arguments.validation_file, arguments, labels);
  }
  if (!arguments.test_file.empty() && arguments.do_predict) {
    data.test = read_set(arguments.test_file, arguments, labels);
  }
  if (!arguments.replay.empty() && arguments.do_train) data.replay = read_set(arguments.replay, arguments, labels);
  if (!arguments.old_validation_file.empty() && evaluates) {
    data.old_validation = read_set(arguments.old_validation_file, arguments, labels);
  }
  return data;
}

LabelTable labels_of(const RunData& data, LabelKind kind, const std::vector<std::string>& model_labels,
                     bool continues) {
  if (kind == LabelKind::none || kind == LabelKind::score) return {};
  if (data.train.examples.empty()) return LabelTable::from_names(model_labels);
  return classes_of(LabelTable::from_examples(data.train.examples).names(), model_labels, continues);
}

LabelTable classes_of(const std::vector<std::string>& found, const std::vector<std::string>& model_labels,
                      bool continues) {
  std::vector<std::string> all = model_labels;
  for (const std::string& name : found) {
    if (std::ranges::find(model_labels, name) == model_labels.end()) all.push_back(name);
  }
  const bool same = all.size() == model_labels.size() && found.size() == model_labels.size();
  return LabelTable::from_names(continues || same ? all : found);
}

std::vector<int64_t> Dataset::lengths() const {
  std::vector<int64_t> out;
  for (const EncodedExample& row : rows) out.push_back(static_cast<int64_t>(row.ids.size()));
  return out;
}

Dataset make_dataset(const Task& task, const ExampleSet& set, int64_t limit, const DatasetCache* cache) {
  const auto encode = [&](int64_t row) {
    const Example& example = set.examples[static_cast<size_t>(row)];
    return task.encode(example, concat(set.file, ":", example.line));
  };
  const auto encoded = [&] { return task.arrange(encode_rows(static_cast<int64_t>(set.examples.size()), encode)); };
  Dataset data;
  if (cache == nullptr) {
    data.rows = encoded();
  } else {
    const EncodedCache file(cache->folder, key_with(cache->key, set));
    auto kept = file.read();
    data.rows = kept ? std::move(*kept) : encoded();
    if (!kept) file.write(data.rows);
  }
  if (limit >= 0 && static_cast<size_t>(limit) < data.rows.size()) data.rows.resize(static_cast<size_t>(limit));
  if (data.rows.empty()) throw UserError(set.file, "expected at least one example, got none");
  for (size_t row = 0; row < data.rows.size(); ++row) data.rows[row].row = static_cast<int64_t>(row);
  return data;
}

}  // namespace suanli

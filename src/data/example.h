/// One labelled text as it stands in a data file, before any tokenizer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace suanli {

struct Example {
  std::string text, text_pair;
  std::string negative;  ///< of a triplet: a text unlike `text`, where `text_pair` is one like it
  bool has_pair = false;
  std::vector<std::string> words;   ///< token classification: the words, instead of text
  std::vector<std::string> labels;  ///< one for a class, any number for multi-label, one a word for tags
  double score = 0.0;               ///< regression and similarity
  int64_t line = 0;                 ///< where it begins in its file, from one
};

/// The class names of a data set and their ids, in the order Hugging Face gives them: sorted, as numbers where all are
/// whole numbers.
class LabelTable {
 public:
  LabelTable() = default;

  /// All labels that occur in `examples`. Throws UserError where there is none.
  static LabelTable from_examples(std::span<const Example> examples);

  /// The names in the order of their ids (as in `id2label` of a config.json). Throws UserError for a repeated name.
  static LabelTable from_names(std::vector<std::string> names);

  int64_t size() const { return static_cast<int64_t>(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }

  /// The id of `name`, or -1.
  int64_t find(std::string_view name) const;

  /// The same; throws UserError at `where` with the nearest name.
  int64_t id(std::string_view name, std::string_view where) const;

 private:
  std::vector<std::string> names_;
  std::vector<int64_t> by_name_;  ///< ids in the order of their names
};

}  // namespace suanli

/// Entity-level precision, recall and F1 of tagged sequences, as the seqeval package counts them by default.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/metrics.h"

namespace suanli {

/// A run of tokens [begin, end] (both included) of one type.
struct Entity {
  std::string type;
  int64_t begin = 0, end = 0;
  auto operator<=>(const Entity&) const = default;
};

/// The entities of one tagged sentence: BIO, IOB1 or IOBES tags such as "B-PER", "I-PER", "O". As CoNLL's script, a
/// stray I- (after O, or after another type) begins an entity; a tag without a type has the type "_".
std::vector<Entity> entities_of(std::span<const std::string_view> tags);

/// Counts entities over sentences: one is right when type, begin and end are.
class EntityCounts {
 public:
  /// One sentence, tags of both the same length (throws UserError).
  void add(std::span<const std::string_view> truth, std::span<const std::string_view> prediction);
  const std::map<std::string, ClassCounts>& per_type() const { return types_; }
  PrecisionRecall average(Average kind) const;
  /// precision, recall, f1 (micro, as run_ner.py reports), f1_macro, accuracy of the tags.
  Scores scores() const;

 private:
  std::map<std::string, ClassCounts> types_;
  int64_t tags_ = 0, right_tags_ = 0;
};

}  // namespace suanli

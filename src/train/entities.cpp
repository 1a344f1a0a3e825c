#include "train/entities.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

struct Tag {
  char kind;  // B, I, E, S or O
  std::string_view type;
};

Tag parse(std::string_view tag) {
  if (tag.empty()) return {'O', ""};
  const std::string_view rest = tag.substr(1);
  const size_t dash = rest.find('-');
  const std::string_view type = dash == std::string_view::npos ? rest : rest.substr(dash + 1);
  return {tag[0], type.empty() ? std::string_view("_") : type};
}

bool outside(const Tag& tag) { return tag.kind == 'O' || tag.kind == '.'; }

/// Whether an entity that holds `before` ends before `now`.
bool ends(const Tag& before, const Tag& now) {
  if (outside(before)) return false;
  if (before.kind == 'E' || before.kind == 'S') return true;
  if (now.kind == 'B' || now.kind == 'S' || now.kind == 'O') return true;
  return before.type != now.type;
}

/// Whether an entity begins at `now`.
bool begins(const Tag& before, const Tag& now) {
  if (outside(now)) return false;
  if (now.kind == 'B' || now.kind == 'S') return true;
  if (before.kind == 'E' || before.kind == 'S' || before.kind == 'O') return true;
  return before.type != now.type;
}

}  // namespace

std::vector<Entity> entities_of(std::span<const std::string_view> tags) {
  std::vector<Entity> entities;
  Tag before = {'O', "_"};
  int64_t begin = 0;
  const int64_t length = static_cast<int64_t>(tags.size());
  for (int64_t i = 0; i <= length; ++i) {
    const Tag now = i < length ? parse(tags[static_cast<size_t>(i)]) : Tag{'O', "_"};
    if (ends(before, now)) entities.push_back({std::string(before.type), begin, i - 1});
    if (begins(before, now)) begin = i;
    before = now;
  }
  return entities;
}

void EntityCounts::add(std::span<const std::string_view> truth, std::span<const std::string_view> prediction) {
  if (truth.size() != prediction.size()) {
    throw UserError("metrics", concat("expected as many predicted as true tags in a sentence, got ", prediction.size(),
                                      " and ", truth.size()));
  }
  for (size_t i = 0; i < truth.size(); ++i) right_tags_ += truth[i] == prediction[i] ? 1 : 0;
  tags_ += static_cast<int64_t>(truth.size());

  std::vector<Entity> wanted = entities_of(truth), found = entities_of(prediction);
  std::sort(wanted.begin(), wanted.end());
  std::sort(found.begin(), found.end());
  for (const Entity& entity : wanted) {
    const bool right = std::binary_search(found.begin(), found.end(), entity);
    ++(right ? types_[entity.type].true_positive : types_[entity.type].false_negative);
  }
  for (const Entity& entity : found) {
    if (!std::binary_search(wanted.begin(), wanted.end(), entity)) ++types_[entity.type].false_positive;
  }
}

PrecisionRecall EntityCounts::average(Average kind) const {
  std::vector<ClassCounts> counts;
  for (const auto& [type, count] : types_) counts.push_back(count);
  return suanli::average(counts, kind);
}

Scores EntityCounts::scores() const {
  const PrecisionRecall micro = average(Average::micro);
  return {{"precision", micro.precision},
          {"recall", micro.recall},
          {"f1", micro.f1},
          {"f1_macro", average(Average::macro).f1},
          {"accuracy", static_cast<double>(right_tags_) / static_cast<double>(tags_)}};
}

}  // namespace suanli

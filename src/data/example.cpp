#include "data/example.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <unordered_set>

#include "base/concat.h"
#include "base/error.h"
#include "base/suggest.h"

namespace suanli {
namespace {

bool whole_number(const std::string& text, int64_t* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

bool number_before(const std::string& a, const std::string& b) {
  int64_t x = 0, y = 0;
  whole_number(a, &x);
  whole_number(b, &y);
  return x != y ? x < y : a < b;
}

}  // namespace

LabelTable LabelTable::from_examples(std::span<const Example> examples) {
  std::unordered_set<std::string> seen;
  for (const Example& example : examples) seen.insert(example.labels.begin(), example.labels.end());
  if (seen.empty()) throw UserError("labels", "the training data holds no label; check label_column_name");
  std::vector<std::string> names(seen.begin(), seen.end());
  int64_t ignored = 0;
  const bool numbers =
      std::all_of(names.begin(), names.end(), [&](const std::string& name) { return whole_number(name, &ignored); });
  if (numbers) {
    std::sort(names.begin(), names.end(), number_before);
  } else {
    std::sort(names.begin(), names.end());  // bytes of UTF-8 sort as code points do
  }
  return from_names(std::move(names));
}

LabelTable LabelTable::from_names(std::vector<std::string> names) {
  LabelTable table;
  table.names_ = std::move(names);
  table.by_name_.resize(table.names_.size());
  std::iota(table.by_name_.begin(), table.by_name_.end(), int64_t{0});
  const auto name = [&](int64_t id) -> const std::string& { return table.names_[static_cast<size_t>(id)]; };
  std::sort(table.by_name_.begin(), table.by_name_.end(), [&](int64_t a, int64_t b) { return name(a) < name(b); });
  for (size_t i = 1; i < table.by_name_.size(); ++i) {
    if (name(table.by_name_[i - 1]) == name(table.by_name_[i])) {
      throw UserError("labels", concat("label \"", name(table.by_name_[i]), "\" has two ids; keep one"));
    }
  }
  return table;
}

int64_t LabelTable::find(std::string_view wanted) const {
  const auto at = std::lower_bound(by_name_.begin(), by_name_.end(), wanted, [this](int64_t id, std::string_view text) {
    return names_[static_cast<size_t>(id)] < text;
  });
  return at != by_name_.end() && names_[static_cast<size_t>(*at)] == wanted ? *at : -1;
}

int64_t LabelTable::id(std::string_view name, std::string_view where) const {
  const int64_t found = find(name);
  if (found < 0) {
    throw UserError(where, concat("label \"", name.substr(0, 100), "\" is none of the ", size(),
                                  " labels of the training data", did_you_mean(name, names_)));
  }
  return found;
}

}  // namespace suanli

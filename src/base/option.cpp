#include "base/option.h"

#include <algorithm>
#include <sstream>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

constexpr size_t kHelpColumn = 36, kHelpWidth = 100;

std::string underscored(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) text += text.empty() ? word : concat(separator, word);
  return text;
}

/// Appends `text` to `out`, broken at spaces, each line beginning in the help column.
void wrap(std::string* out, const std::string& text, size_t column) {
  std::istringstream words(text);
  std::string word;
  bool first = true;
  while (words >> word) {
    if (!first && column + 1 + word.size() > kHelpWidth) {
      out->append(concat('\n', std::string(kHelpColumn, ' ')));
      column = kHelpColumn;
    } else if (!first) {
      out->push_back(' ');
      ++column;
    }
    out->append(word);
    column += word.size();
    first = false;
  }
}

std::string description(const Option& option) {
  std::string text = option.help;
  if (option.no_effect) text += " (no effect here)";
  if (!option.choices.empty()) text += concat(" (", joined(option.choices, ", "), ")");
  if (!option.default_value.empty()) text += concat(" [default ", option.default_value, "]");
  if (!option.aliases.empty()) text += concat(" [old name ", joined(option.aliases, ", "), "]");
  return text;
}

}  // namespace

OptionTable::OptionTable(std::vector<Option> options) : options_(std::move(options)) {
  for (size_t i = 0; i < options_.size(); ++i) {
    names_.push_back(options_[i].name);
    SUANLI_ASSERT(index_.emplace(options_[i].name, static_cast<int>(i)).second);
    for (const std::string& alias : options_[i].aliases) {
      SUANLI_ASSERT(index_.emplace(alias, static_cast<int>(i)).second);
    }
  }
}

int OptionTable::find(std::string_view name) const {
  const auto at = index_.find(underscored(name));
  return at == index_.end() ? -1 : at->second;
}

std::string OptionTable::help() const {
  std::string text;
  for (const Option& option : options_) {
    std::string line = concat("  --", option.name);
    if (option.type != OptionType::boolean) line += concat(' ', option_type_name(option.type));
    if (line.size() + 2 > kHelpColumn) line += concat('\n', std::string(kHelpColumn, ' '));
    if (line.size() < kHelpColumn) line.resize(kHelpColumn, ' ');
    wrap(&line, description(option), kHelpColumn);
    text += concat(line, '\n');
  }
  return text;
}

std::string_view option_type_name(OptionType type) {
  switch (type) {
    case OptionType::text:
      return "text";
    case OptionType::path:
      return "path";
    case OptionType::boolean:
      return "true|false";
    case OptionType::integer:
      return "integer";
    case OptionType::real:
      return "number";
    case OptionType::list:
      break;
  }
  return "list";
}

}  // namespace suanli

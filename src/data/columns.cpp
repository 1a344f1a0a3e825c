#include "data/columns.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>

#include "base/concat.h"
#include "base/error.h"
#include "base/suggest.h"

namespace suanli {
namespace {

struct TextGuess {
  std::string_view text, pair;
};

constexpr TextGuess kTexts[] = {{"text", "text_pair"},
                                {"sentence", ""},
                                {"sentence1", "sentence2"},
                                {"premise", "hypothesis"},
                                {"question1", "question2"},
                                {"anchor", "positive"},
                                {"query", ""},
                                {"question", ""},
                                {"content", ""},
                                {"review", ""}};
constexpr std::string_view kLabels[] = {"label", "labels", "score", "target", "category", "class", "intent"};
constexpr std::string_view kWords[] = {"tokens", "words"};
constexpr std::string_view kTags[] = {"ner_tags", "tags", "labels", "label"};

bool has(const std::vector<std::string>& columns, std::string_view name) {
  return std::find(columns.begin(), columns.end(), name) != columns.end();
}

std::string listed(const std::vector<std::string>& columns) {
  std::string text;
  for (const std::string& column : columns) {
    text += concat(text.empty() ? "" : ", ", column);
    if (text.size() > 300) return concat(text, ", ...");
  }
  return text;
}

template <class Names>
std::string first_of(const std::vector<std::string>& columns, const Names& names) {
  for (const std::string_view name : names) {
    if (has(columns, name)) return std::string(name);
  }
  return "";
}

void demand(const std::vector<std::string>& columns, const std::string& name, std::string_view where) {
  if (has(columns, name)) return;
  throw UserError(where,
                  concat("no column \"", name, "\"; the columns are ", listed(columns), did_you_mean(name, columns)));
}

std::string choose_label(const std::vector<std::string>& columns, const ReaderOptions& options,
                         std::string_view where) {
  if (options.labels == LabelKind::none) {
    return has(columns, options.label_column) ? options.label_column : "";  // not read, and no column of text
  }
  if (!options.label_column.empty()) {
    if (options.labels_required) demand(columns, options.label_column, where);
    return has(columns, options.label_column) ? options.label_column : "";
  }
  std::string guess = options.labels == LabelKind::tags ? first_of(columns, kTags) : first_of(columns, kLabels);
  if (guess.empty() && options.labels_required) {
    throw UserError(where, concat("no column of labels found; the columns are ", listed(columns),
                                  "; name it with label_column_name"));
  }
  return guess;
}

}  // namespace

ColumnChoice choose_columns(const std::vector<std::string>& columns, const ReaderOptions& options,
                            std::string_view where) {
  ColumnChoice choice;
  choice.label = choose_label(columns, options, where);
  choice.text = options.text_columns;
  choice.pair = options.text_pair_column;
  choice.negative = options.negative_column;
  if (!choice.negative.empty()) demand(columns, choice.negative, where);
  for (const std::string& name : choice.text) demand(columns, name, where);
  if (!choice.pair.empty()) demand(columns, choice.pair, where);
  if (!choice.text.empty()) return choice;

  if (options.labels == LabelKind::tags) {
    choice.text = {first_of(columns, kWords)};
  } else {
    for (const TextGuess& guess : kTexts) {
      if (!has(columns, guess.text) || guess.text == choice.label) continue;
      choice.text = {std::string(guess.text)};
      if (choice.pair.empty() && has(columns, guess.pair)) choice.pair = guess.pair;
      return choice;
    }
    std::vector<std::string> others;
    const std::string label = choice.label.empty() ? first_of(columns, kLabels) : choice.label;
    std::copy_if(columns.begin(), columns.end(), std::back_inserter(others), [&](const std::string& name) {
      return name != label && name != choice.pair && name != choice.negative;
    });
    choice.text = {others.size() == 1 ? others[0] : ""};
  }
  if (choice.text[0].empty()) {
    throw UserError(where, concat("no column of text found; the columns are ", listed(columns),
                                  "; name it with text_column_names"));
  }
  return choice;
}

void set_label(Example* example, std::string_view value, const ReaderOptions& options, const std::string& where) {
  if (options.labels == LabelKind::score) {
    const std::string_view digits = value.starts_with('+') ? value.substr(1) : value;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), example->score);
    if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(example->score)) {
      throw UserError(where, concat("the label must be a finite number, found \"", value.substr(0, 100), '"'));
    }
  } else if (options.labels == LabelKind::multi && !options.label_separator.empty()) {
    while (!value.empty()) {
      const size_t end = value.find(options.label_separator);
      if (end != 0) example->labels.emplace_back(value.substr(0, end));
      if (end == std::string_view::npos) break;
      value.remove_prefix(end + options.label_separator.size());
    }
  } else if (options.labels != LabelKind::none) {
    if (value.empty()) throw UserError(where, "the label is empty; give one or remove the row");
    example->labels.emplace_back(value);
  }
}

}  // namespace suanli

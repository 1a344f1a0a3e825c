#include "train/baseline_profile.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/tape.h"
#include "base/random.h"
#include "data/cell.h"
#include "data/loader.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

using monitor::BaselineProfile;

constexpr uint32_t kRowSampleSite = 0xDA7A0044;  // index: the row

void add_name(std::string_view feature, std::string_view name, BaselineProfile* profile) {
  profile->add({feature, name});
}

/// Each of the pieces of `text` between separators.
void add_names(std::string_view feature, std::string_view text, char separator, BaselineProfile* profile) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) add_name(feature, text.substr(0, end), profile);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// Tokens of a sequence, and how many of them are unknown.
void add_tokens(std::span<const int32_t> ids, std::optional<int32_t> unknown, BaselineProfile* profile) {
  const int64_t lost = unknown ? std::count(ids.begin(), ids.end(), *unknown) : 0;
  for (const monitor::Observed& one : monitor::observed_text(0, static_cast<int64_t>(ids.size()), lost)) {
    if (one.feature != monitor::kTextCharacters) profile->add(one);
  }
}

void add_characters(int64_t count, BaselineProfile* profile) {
  profile->add({monitor::kTextCharacters, static_cast<double>(count)});
}

void add_example(const TaskKind& kind, const Example& example, BaselineProfile* profile) {
  const auto length = [](const std::string& text) { return monitor::characters_of(text); };
  if (kind.embeds) {
    for (const std::string* text : {&example.text, &example.text_pair, &example.negative}) {
      if (!text->empty()) add_characters(length(*text), profile);
    }
  } else {
    int64_t characters = length(example.text) + length(example.text_pair);
    for (const std::string& word : example.words) characters += length(word) + 1;  // as a text with spaces
    add_characters(characters - (example.words.empty() ? 0 : 1), profile);
  }
  for (const std::string& label : example.labels) add_name(monitor::kLabel, label, profile);
  if (kind.labels == LabelKind::score) profile->add({monitor::kLabel, example.score});
}

/// A number, or NaN where the cell has none.
double number_in(std::string_view cell) {
  return parse_number(cell).value_or(std::numeric_limits<double>::quiet_NaN());
}

}  // namespace

BaselineProfile text_profile(const TaskKind& kind, std::span<const Example> examples, const Dataset& rows,
                             std::optional<int32_t> unknown) {
  BaselineProfile profile;
  if (kind.head == models::Head::causal_lm || kind.head == models::Head::masked_lm) return profile;
  for (const Example& example : examples) add_example(kind, example, &profile);
  for (const EncodedExample& row : rows.rows) {
    if (!kind.embeds) {
      add_tokens(row.ids, unknown, &profile);
      continue;
    }
    // The label of a token says which of the texts it belongs to.
    for (size_t begin = 0, end = 0; begin < row.ids.size(); begin = end) {
      while (end < row.ids.size() && row.labels[end] == row.labels[begin]) ++end;
      add_tokens(std::span(row.ids).subspan(begin, end - begin), unknown, &profile);
    }
  }
  return profile;
}

BaselineProfile question_profile(std::span<const QuestionExample> questions) {
  BaselineProfile profile;
  for (const QuestionExample& one : questions) {
    add_characters(monitor::characters_of(one.question) + monitor::characters_of(one.context), &profile);
  }
  return profile;
}

void add_windows(const Dataset& windows, std::optional<int32_t> unknown, BaselineProfile* profile) {
  for (const EncodedExample& window : windows.rows) add_tokens(window.ids, unknown, profile);
}

void RowSample::add(const Row& row) {
  constexpr size_t kMostRows = 2'000;
  ++count_;
  if (rows_.size() < kMostRows) {
    rows_.push_back(row);
    return;
  }
  const auto words = philox({0, 0, kRowSampleSite}, count_);
  const uint64_t place = (uint64_t{words[0]} << 32 | words[1]) % count_;
  if (place < kMostRows) rows_[place] = row;
}

BaselineProfile table_profile(std::span<const Row> rows, const std::vector<std::string>& columns,
                              const TableEncoder& encoder, const std::string& label, bool regression) {
  constexpr size_t kMostColumns = 256;
  struct Column {
    size_t place;
    bool number;
    std::string feature;
  };
  const auto place_of = [&](const std::string& name) {
    return static_cast<size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
  };
  std::vector<Column> watched = {{place_of(label), regression, std::string(monitor::kLabel)}};
  const std::vector<std::string>& names = encoder.column_names();
  const std::vector<ColumnEncoding>& encodings = encoder.encodings();
  for (size_t i = 0; i < names.size() && watched.size() <= kMostColumns; ++i) {
    if (encodings[i] == ColumnEncoding::date) continue;
    watched.push_back({place_of(names[i]), is_number(encodings[i]), std::string(monitor::kColumnPrefix) + names[i]});
  }
  BaselineProfile profile;
  for (const Row& row : rows) {
    for (const Column& column : watched) {
      const std::string_view cell = column.place < row.cells.size() ? row.cells[column.place] : std::string_view();
      if (column.number) {
        profile.add({column.feature, number_in(cell)});
      } else {
        add_name(column.feature, is_missing(cell) ? std::string_view() : cell, &profile);
      }
    }
  }
  return profile;
}

BaselineProfile picture_profile(std::span<const ImageExample> pictures, const std::vector<std::string>& class_names) {
  BaselineProfile profile;
  for (const ImageExample& picture : pictures) {
    if (picture.label < 0 || class_names.empty()) continue;
    add_name(monitor::kLabel, class_names[static_cast<size_t>(picture.label)], &profile);
  }
  constexpr size_t kMostPictures = 256;
  const size_t count = std::min(pictures.size(), kMostPictures);
  for (size_t i = 0; i < count; ++i) {
    const Image image = load_image(pictures[i * pictures.size() / count]);
    const ImageStatistics statistics = statistics_of(image);
    profile.add({monitor::kPictureHeight, static_cast<double>(image.height)});
    profile.add({monitor::kPictureWidth, static_cast<double>(image.width)});
    profile.add({monitor::kPictureBrightness, statistics.brightness});
    profile.add({monitor::kPictureContrast, statistics.contrast});
  }
  return profile;
}

void add_embeddings(const Task& task, const Dataset& rows, DType dtype, BaselineProfile* profile) {
  constexpr size_t kMostRows = 128;  // of two texts each: as many vectors as the sketch keeps
  const size_t count = std::min(rows.rows.size(), kMostRows);
  const auto row = [&](int64_t i) -> const EncodedExample& {
    return rows.rows[static_cast<size_t>(i) * rows.rows.size() / count];
  };
  Loader loader(
      Sampler(SamplingStrategy::sequential, static_cast<int64_t>(count), 16, 0),
      [&](int64_t i, int64_t) { return task.scored(row(i)); }, {}, 1, 1, 0);
  const NoGradient guard;
  Batch batch;
  while (loader.next(&batch)) {
    const Tensor vectors = task.embeddings(task.inputs(batch), {.training = false, .dtype = dtype});
    const std::vector<float> values = host_values(vectors);
    const auto width = static_cast<size_t>(vectors.dim(1));
    for (size_t begin = 0; begin < values.size(); begin += width) {
      profile->add({monitor::kEmbedding, std::span(values).subspan(begin, width)});
    }
  }
}

void add_answers(const TaskKind& kind, const Evaluation& evaluation, BaselineProfile* profile) {
  if (kind.labels == LabelKind::tags) {
    for (const auto& [row, tags] : evaluation.predictions) add_names(monitor::kPrediction, tags, ' ', profile);
  }
  if (kind.head == models::Head::question_answering) return;
  const Answers& answers = evaluation.answers;
  for (const Answer& answer : answers.rows) {
    if (answers.classes.empty()) {
      profile->add({monitor::kPrediction, number_in(answer.prediction)});
    } else if (answers.several) {
      add_names(monitor::kPrediction, answer.prediction, '|', profile);
    } else {
      add_name(monitor::kPrediction, answer.prediction, profile);
      const auto at = std::find(answers.classes.begin(), answers.classes.end(), answer.prediction);
      const auto chosen = static_cast<size_t>(at - answers.classes.begin());
      if (chosen < answer.probabilities.size()) profile->add({monitor::kScore, double{answer.probabilities[chosen]}});
    }
  }
}

}  // namespace suanli

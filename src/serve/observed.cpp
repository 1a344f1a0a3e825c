#include "serve/observed.h"

#include <algorithm>
#include <limits>

#include "data/cell.h"
#include "infer/predictions.h"
#include "serve/embedding.h"

namespace suanli::serve {

namespace {

int64_t characters_of_input(const Input& input) {
  return monitor::characters_of(input.text) + (input.pair ? monitor::characters_of(*input.pair) : 0);
}

/// Of a question the characters, with those of its context; of each window of them the tokens.
void observe_questions(ServedModel& model, const Question& question, const Answers& answers, int32_t unknown) {
  for (size_t i = 0; i < answers.passages.size(); ++i) {
    const auto characters = static_cast<double>(characters_of_input(question.inputs[i]));
    model.watch().observe(std::vector<monitor::Observed>{{monitor::kTextCharacters, characters}});
    for (const QuestionWindow& window : answers.passages[i].windows) {
      const auto seen = monitor::observed_text(0, std::ssize(window.ids), std::ranges::count(window.ids, unknown));
      model.watch().observe(std::span(seen).subspan(1));  // but the characters
    }
  }
}

}  // namespace

void observe_texts(ServedModel& model, const Question& question, const Answers& answers) {
  const int32_t unknown = model.tokenizer().special_ids().unk.value_or(-1);
  if (!answers.passages.empty()) return observe_questions(model, question, answers, unknown);
  for (size_t i = 0; i < answers.rows.size(); ++i) {
    const Input& input = question.inputs[i];
    const std::vector<float>& row = answers.rows[i];
    std::vector<monitor::Observed> seen;
    if (input.ids.empty()) {
      const auto& ids = answers.encodings[i].ids;
      const auto text =
          monitor::observed_text(characters_of_input(input), std::ssize(ids), std::ranges::count(ids, unknown));
      seen.assign(text.begin(), text.end());
    }
    std::vector<float> unit;
    if (model.kind() == ModelKind::embedding && question.output == infer::Output::embedding) {
      unit = embedding_of(row, row.size(), true);
      seen.push_back({monitor::kEmbedding, std::span<const float>(unit)});
    }
    if (model.kind() == ModelKind::classification) {
      const auto scores = infer::label_scores(model.config(), row);
      const auto best = static_cast<size_t>(std::ranges::max_element(scores) - scores.begin());
      const std::string& label = model.config().labels[best];
      if (row.size() == 1 && model.config().problem_type == "regression") {
        seen.push_back({monitor::kPrediction, scores[0]});
      } else {
        seen.push_back({monitor::kPrediction, std::string_view(label)});
        seen.push_back({monitor::kScore, scores[best]});
      }
      model.watch().feedback().answered(question.request_id, i, label);
    }
    model.watch().observe(seen);
  }
}

Features row_features(const TableEncoder& encoder, std::span<const std::string> cells) {
  Features out;
  const std::vector<std::string>& names = encoder.column_names();
  const std::vector<ColumnEncoding>& encodings = encoder.encodings();
  for (size_t i = 0; i < names.size(); ++i) {
    if (encodings[i] == ColumnEncoding::date) continue;
    Feature& feature = out.emplace_back(Feature{std::string(monitor::kColumnPrefix) + names[i], {}});
    if (is_number(encodings[i])) {
      feature.value = parse_number(cells[i]).value_or(std::numeric_limits<double>::quiet_NaN());
    } else {
      feature.value = is_missing(cells[i]) ? std::string() : cells[i];
    }
  }
  return out;
}

Features picture_features(const Image& image) {
  const ImageStatistics statistics = statistics_of(image);
  return {{std::string(monitor::kPictureHeight), static_cast<double>(image.height)},
          {std::string(monitor::kPictureWidth), static_cast<double>(image.width)},
          {std::string(monitor::kPictureBrightness), statistics.brightness},
          {std::string(monitor::kPictureContrast), statistics.contrast}};
}

void observe_predictions(PredictingModel& model, const std::string& request_id, std::span<const Features> inputs,
                         std::span<const infer::Prediction> answers) {
  for (size_t i = 0; i < answers.size(); ++i) {
    std::vector<monitor::Observed> seen;
    for (const auto& [name, value] : inputs[i]) {
      if (const auto* number = std::get_if<double>(&value)) {
        seen.push_back({name, *number});
      } else {
        seen.push_back({name, std::string_view(std::get<std::string>(value))});
      }
    }
    const infer::Prediction& answer = answers[i];
    if (const auto at = std::ranges::find(model.labels(), answer.label); at != model.labels().end()) {
      seen.push_back({monitor::kPrediction, std::string_view(answer.label)});
      seen.push_back({monitor::kScore, double{answer.numbers[static_cast<size_t>(at - model.labels().begin())]}});
      model.watch().feedback().answered(request_id, i, answer.label);
    } else if (model.rows() != nullptr) {
      seen.push_back({monitor::kPrediction, double{answer.numbers[0]}});
    }
    model.watch().observe(seen);
  }
}

}  // namespace suanli::serve

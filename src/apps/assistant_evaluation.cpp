#include "apps/assistant_evaluation.h"

#include <algorithm>
#include <set>

#include "apps/text_answers.h"
#include "data/rows.h"

namespace suanli::apps {

namespace {

std::vector<std::string> texts_of(const std::vector<Labelled>& messages) {
  std::vector<std::string> out;
  for (const Labelled& message : messages) out.push_back(message.text);
  return out;
}

}  // namespace

std::vector<Labelled> read_labelled(const std::filesystem::path& file) {
  const auto reader = open_rows(file, {});
  const size_t text = reader->column("text"), label = reader->column("label");
  std::vector<Labelled> out;
  Row row;
  while (reader->next(&row)) {
    row.cells.resize(reader->columns().size());
    out.push_back({row.cells[text], row.cells[label]});
  }
  return out;
}

std::vector<Judged> judge_intents(const infer::TextModel& classifier, const std::vector<Labelled>& messages) {
  const auto& labels = classifier.engine.model().config().labels;
  const auto scores = classify_texts(classifier, texts_of(messages));
  std::vector<Judged> out;
  for (size_t i = 0; i < messages.size(); ++i) {
    const auto best = std::ranges::max_element(scores[i]);
    const std::string& chosen = labels[static_cast<size_t>(best - scores[i].begin())];
    out.push_back({.score = *best,
                   .right = chosen == messages[i].label,
                   .in_scope = std::ranges::find(labels, messages[i].label) != labels.end()});
  }
  return out;
}

JudgedQuestions judge_questions(const Assistant& assistant, const infer::TextModel& encoder,
                                const std::vector<Labelled>& messages) {
  std::set<std::string> known;
  for (const Answer& answer : assistant.answers()) known.insert(answer.question);
  const auto vectors = embed_texts(encoder, texts_of(messages));
  JudgedQuestions out;
  for (size_t i = 0; i < messages.size(); ++i) {
    const auto candidates = assistant.candidates(vectors[i], {}, messages[i].text, {});
    const auto right = std::ranges::find_if(
        candidates, [&](const Candidate& one) { return assistant.answers()[one.row].question == messages[i].label; });
    const bool in_scope = known.contains(messages[i].label);
    out.first.push_back({.score = assistant.confidence_of(candidates),
                         .right = right == candidates.begin() && right != candidates.end(),
                         .in_scope = in_scope});
    if (!in_scope) continue;
    ++out.in_scope;
    const auto rank = right - candidates.begin();
    if (right == candidates.end()) continue;
    ++out.found_in_all;
    out.found_in_1 += rank < 1 ? 1 : 0;
    out.found_in_5 += rank < 5 ? 1 : 0;
  }
  return out;
}

Json to_json(const Confidence& confidence) {
  return {{"threshold", confidence.threshold},
          {"in_scope", confidence.in_scope},
          {"out_of_scope", confidence.out_of_scope},
          {"answered_right", confidence.answered_right},
          {"answered_wrong", confidence.answered_wrong},
          {"answered_out_of_scope", confidence.answered_out_of_scope},
          {"coverage", confidence.coverage()},
          {"wrong_confident_rate", confidence.wrong_confident_rate()},
          {"error_of_answers", confidence.error_of_answers()}};
}

}  // namespace suanli::apps

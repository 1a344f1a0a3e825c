#include "apps/assistant.h"

#include <algorithm>
#include <cctype>

#include "base/concat.h"
#include "base/error.h"

namespace suanli::apps {

namespace {

/// The words of a text in lower case; what is no ASCII letter, digit or apostrophe ends a word.
std::vector<std::string> plain_words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '\'' || byte >= 128) {
      word += static_cast<char>(std::tolower(byte));
    } else if (!word.empty()) {
      out.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) out.push_back(word);
  return out;
}

bool is_one_of(const std::string& word, std::initializer_list<const char*> list) {
  return std::ranges::find(list, word) != list.end();
}

void require_share(const char* name, double value) {
  if (value >= 0 && value <= 1) return;
  throw UserError(name, concat("expected a number in 0..1, got ", value));
}

}  // namespace

const char* name_of(Reason reason) {
  constexpr const char* kNames[] = {"none", "out_of_scope", "low_confidence", "asked_for_a_person", "too_many_turns"};
  return kNames[static_cast<int>(reason)];
}

bool asks_for_a_person(std::string_view text) {
  const std::vector<std::string> words = plain_words(text);
  bool person = false, wish = false;
  for (const std::string& word : words) {
    person = person || is_one_of(word, {"human", "person", "agent", "representative", "operator", "someone", "somebody",
                                        "advisor", "adviser"});
    wish = wish || is_one_of(word, {"speak", "talk", "chat", "connect", "transfer", "real", "live", "human"});
  }
  const bool alone = words.size() <= 2 && person && !is_one_of(words.front(), {"someone", "somebody", "person"});
  return person && (wish || alone);
}

bool follows_up(std::string_view text) {
  const std::vector<std::string> words = plain_words(text);
  if (words.size() < 2) return false;
  if (is_one_of(words[0], {"and", "also"})) return true;
  if (is_one_of(words[0], {"what", "how"}) && words[1] == "about") return true;
  return words.size() <= 6 && std::ranges::any_of(words, [](const std::string& word) {
           return is_one_of(word, {"it", "that", "this", "they", "them", "its", "it's"});
         });
}

Assistant::Assistant(AssistantOptions options, std::vector<Answer> answers, AnswerIndex index,
                     std::vector<std::string> intents)
    : options_(options), answers_(std::move(answers)), index_(std::move(index)), intents_(std::move(intents)) {
  require_share("intent_threshold", options_.intent_threshold);
  require_share("answer_threshold", options_.answer_threshold);
  SUANLI_ASSERT(index_.size() == answers_.size());
  for (size_t row = 0; row < answers_.size(); ++row) {
    const std::string& intent = answers_[row].intent;
    if (intent.empty()) continue;
    if (std::ranges::find(intents_, intent) == intents_.end()) {
      throw UserError("answers",
                      concat("expected an intent that the classifier knows, got \"", intent, "\" in row ", row + 1));
    }
    rows_of_intent_[intent].push_back(row);
    ++bound_rows_;
  }
}

Intent Assistant::intent_of(std::span<const double> scores, std::string_view text, const std::string& last) const {
  if (scores.empty()) return {};
  SUANLI_ASSERT(scores.size() == intents_.size());
  const auto best = static_cast<size_t>(std::ranges::max_element(scores) - scores.begin());
  Intent intent{.label = intents_[best], .score = scores[best]};
  intent.recognised = intent.score >= options_.intent_threshold;
  if (intent.recognised || last.empty() || !follows_up(text)) return intent;
  return {.label = last, .score = intent.score, .recognised = true, .from_context = true};
}

std::string Assistant::query_of(std::string_view text, const SessionState& state) const {
  if (!state.answer_row || !follows_up(text)) return std::string(text);
  return concat(answers_[*state.answer_row].question, " ", text);
}

std::vector<Candidate> Assistant::candidates(std::span<const float> query, const Intent& intent, std::string_view text,
                                             const SessionState& state) const {
  const bool follows = follows_up(text);
  std::vector<Candidate> out;
  const auto fit = [&](size_t row, float cosine) {
    return std::clamp(0.75 * cosine + 0.25 * index_.document_cosine(row, query), 0.0, 1.0);
  };
  const auto own = rows_of_intent_.find(intent.label);
  if (intent.recognised && own != rows_of_intent_.end()) {
    for (const size_t row : own->second) {
      out.push_back({row, index_.document_cosine(row, query), true});
    }
    std::ranges::stable_sort(out, std::greater{}, &Candidate::score);
    for (Candidate& one : out) one.score = intent.score;
  } else {
    // Rows of other intents stand among the nearest and are passed over.
    for (const Neighbour& near : index_.nearest(query, options_.candidates + bound_rows_ + 1)) {
      if (!answers_[near.row].intent.empty()) continue;
      if (follows && state.answer_row == near.row) continue;
      if (out.size() < options_.candidates) out.push_back({near.row, fit(near.row, near.cosine)});
    }
    std::ranges::stable_sort(out, std::greater{}, &Candidate::score);
  }
  out.resize(std::min(out.size(), options_.candidates));
  return out;
}

double Assistant::confidence_of(std::span<const Candidate> candidates) const {
  if (candidates.empty()) return 0;
  const Candidate& first = candidates.front();
  if (first.by_intent) return first.score;
  constexpr double kLead = 0.1, kWeight = 3;
  const auto rival = std::ranges::find_if(
      candidates, [&](const Candidate& one) { return answers_[one.row].question != answers_[first.row].question; });
  const double lead = rival == candidates.end() ? kLead : std::min(first.score - rival->score, kLead);
  return (first.score + kWeight * lead) / (1 + kWeight * kLead);
}

Reply Assistant::decide(std::string_view text, const SessionState& state, const Intent& intent,
                        std::span<const Candidate> candidates) const {
  Reply reply{.intent = intent};
  reply.confidence = confidence_of(candidates);
  if (asks_for_a_person(text)) {
    reply.reason = Reason::asked_for_a_person;
  } else if (state.turns > options_.sessions.turns) {
    reply.reason = Reason::too_many_turns;
  } else if (!candidates.empty() && (candidates.front().by_intent || reply.confidence >= options_.answer_threshold)) {
    reply.row = candidates.front().row;
  } else {
    reply.reason = !intents_.empty() && !intent.recognised ? Reason::out_of_scope : Reason::low_confidence;
  }
  return reply;
}

}  // namespace suanli::apps

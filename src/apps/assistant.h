/// Customer service: one message of a customer in, an answer with its source out, or a person who takes over.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/answer_index.h"
#include "apps/answers.h"
#include "apps/sessions.h"

namespace suanli::apps {

struct AssistantOptions {
  double intent_threshold = 0.75;  ///< least probability at which an intent counts as recognised
  double answer_threshold = 0.75;  ///< least confidence at which an answer is given
  size_t candidates = 20;          ///< of the index, that are ranked again
  size_t text_bytes = 2000;        ///< of one message
  SessionLimits sessions = {};
};

/// A row of the answers and how well it fits.
struct Candidate {
  size_t row = 0;
  double score = 0;
  bool by_intent = false;  ///< it belongs to the intent of the message, the score of which counts
};

struct Intent {
  std::string label;
  double score = 0;
  bool recognised = false;
  bool from_context = false;  ///< the intent of the message before
};

enum class Reason { none, out_of_scope, low_confidence, asked_for_a_person, too_many_turns };

/// "out_of_scope", ...
const char* name_of(Reason reason);

struct Reply {
  Reason reason = Reason::none;    ///< none: an answer
  std::optional<size_t> row = {};  ///< of the answers, where it is one
  Intent intent = {};
  double confidence = 0;  ///< of the best row that may be given; 0: there is none
};

/// True for messages such as "I want to talk to a human": a word for a person near a word for wanting one.
bool asks_for_a_person(std::string_view text);

/// True for messages that mean something only after another: "and", "what about" and the like in front, or at most six
/// words with "it", "that", "this", "they" or "them" among them.
bool follows_up(std::string_view text);

/// The decisions, apart from models, threads and HTTP.
class Assistant {
 public:
  /// `intents`: labels of the classifier, empty without one. Throws UserError for an answer whose intent is none of
  /// them, a threshold outside 0..1, an index that is not one of `answers`.
  Assistant(AssistantOptions options, std::vector<Answer> answers, AnswerIndex index, std::vector<std::string> intents);

  const AssistantOptions& options() const { return options_; }
  const std::vector<Answer>& answers() const { return answers_; }

  /// What the classifier says of `text`; a follow-up that it does not recognise goes on with the intent `last`.
  Intent intent_of(std::span<const double> scores, std::string_view text, const std::string& last) const;

  /// The text that is looked up: a follow-up stands behind the question that was answered last.
  std::string query_of(std::string_view text, const SessionState& state) const;

  /// Rows that may be given, best first, at most options().candidates: those of a recognised intent where it has own
  /// ones; else those of no intent, by 3/4 of the cosine to the question and 1/4 of that to the question with its
  /// answer (measured: docs/customer-service.md). A follow-up does not get the row again that it follows.
  std::vector<Candidate> candidates(std::span<const float> query, const Intent& intent, std::string_view text,
                                    const SessionState& state) const;

  /// How sure the first of them is: (score + 3 min(lead, 0.1)) / 1.3, where the lead is that over the first one of
  /// another question. Two questions that fit as well as each other are a guess, however well they fit. 0: no
  /// candidates.
  double confidence_of(std::span<const Candidate> candidates) const;

  /// Where a cross-encoder is at hand, `candidates` come in its order with its scores.
  Reply decide(std::string_view text, const SessionState& state, const Intent& intent,
               std::span<const Candidate> candidates) const;

 private:
  AssistantOptions options_;
  std::vector<Answer> answers_;
  AnswerIndex index_;
  std::vector<std::string> intents_;
  std::map<std::string, std::vector<size_t>> rows_of_intent_;  ///< rows that are given to it alone
  size_t bound_rows_ = 0;
};

}  // namespace suanli::apps

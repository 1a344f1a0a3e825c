#include "infer/predictions.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/json_text.h"
#include "models/probabilities.h"

namespace suanli::infer {

namespace {

/// Indices of the `count` largest scores, best first.
std::vector<size_t> best(std::span<const double> scores, int64_t count) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto kept = static_cast<std::ptrdiff_t>(std::min<int64_t>(count, static_cast<int64_t>(order.size())));
  std::partial_sort(order.begin(), order.begin() + kept, order.end(),
                    [&](size_t a, size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  order.resize(static_cast<size_t>(kept));
  return order;
}

void append_field(std::string& out, const char* key, std::string_view text) {
  out += std::string("\"") + key + "\": ";
  append_string(out, text);
}

void append_score(std::string& out, float score) {
  out += ", \"score\": ";
  append_number(out, score);
}

struct Entity {
  std::string label;  // without B- and I- when grouped
  float score = 0;
  size_t first = 0, last = 0;  // tokens
};

void append_entity(std::string& out, const Tokenizer& tokenizer, const Encoding& encoding, const Entity& entity,
                   bool group) {
  out += out.ends_with('[') ? "{" : ", {";
  append_field(out, group ? "entity_group" : "entity", entity.label);
  append_score(out, entity.score);
  if (!group) out += ", \"index\": " + std::to_string(entity.first);
  const auto ids = std::span(encoding.ids).subspan(entity.first, entity.last - entity.first + 1);
  out += ", ";
  append_field(out, "word", group ? tokenizer.decode(ids) : std::string(tokenizer.token_of(ids.front())));
  out += ", \"start\": " + std::to_string(encoding.offsets[entity.first].first) +
         ", \"end\": " + std::to_string(encoding.offsets[entity.last].second) + "}";
}

/// Hugging Face's "simple" aggregation: neighbouring tokens of one type join unless the later one begins a new entity.
std::vector<Entity> grouped(const std::vector<Entity>& tokens) {
  std::vector<Entity> groups;
  size_t count = 0;
  for (const Entity& token : tokens) {
    const bool tagged = token.label.starts_with("B-") || token.label.starts_with("I-");
    const std::string type = tagged ? token.label.substr(2) : token.label;
    const bool joins = !groups.empty() && groups.back().label == type && groups.back().last + 1 == token.first &&
                       !token.label.starts_with("B-");
    if (!joins) {
      groups.push_back({type, token.score, token.first, token.last});
      count = 1;
    } else {
      Entity& group = groups.back();
      group.score = (group.score * static_cast<float>(count) + token.score) / static_cast<float>(count + 1);
      group.last = token.last;
      ++count;
    }
  }
  return groups;
}

}  // namespace

std::vector<double> label_scores(const models::ModelConfig& config, std::span<const float> logits) {
  if (config.problem_type == "regression") return {logits.begin(), logits.end()};
  if (config.problem_type != "multi_label_classification" && logits.size() > 1) return models::softmax(logits);
  std::vector<double> scores;
  for (const float logit : logits) scores.push_back(1 / (1 + std::exp(-static_cast<double>(logit))));
  return scores;
}

void append_classification(std::string& out, const models::ModelConfig& config, std::span<const float> logits,
                           int64_t top_k) {
  const std::vector<double> scores = label_scores(config, logits);
  const auto chosen = best(scores, top_k);
  if (top_k > 1) out += '[';
  for (size_t i = 0; i < chosen.size(); ++i) {
    out += i > 0 ? ", {" : "{";
    append_field(out, "label", config.labels[chosen[i]]);
    append_score(out, static_cast<float>(scores[chosen[i]]));
    out += '}';
  }
  if (top_k > 1) out += ']';
}

void append_labels(std::string& out, const std::vector<std::string>& labels, std::span<const float> scores,
                   int64_t top_k) {
  out += '[';
  for (const size_t each : best(std::vector<double>(scores.begin(), scores.end()), top_k)) {
    out += out.ends_with('[') ? "{" : ", {";
    append_field(out, "label", labels[each]);
    append_score(out, scores[each]);
    out += '}';
  }
  out += ']';
}

void append_entities(std::string& out, const models::ModelConfig& config, const Tokenizer& tokenizer,
                     const Encoding& encoding, std::span<const float> logits, bool group) {
  const size_t labels = config.labels.size();
  std::vector<Entity> found;
  for (size_t t = 0; t < encoding.size(); ++t) {
    if (encoding.special[t] != 0) continue;
    const std::vector<double> scores = models::softmax(logits.subspan(t * labels, labels));
    const auto top = static_cast<size_t>(std::ranges::max_element(scores) - scores.begin());
    if (config.labels[top] != "O") {
      found.push_back({config.labels[top], static_cast<float>(scores[top]), t, t});
    }
  }
  out += '[';
  for (const Entity& entity : group ? grouped(found) : found) append_entity(out, tokenizer, encoding, entity, group);
  out += ']';
}

void append_answers(std::string& out, std::span<const AnswerSpan> answers, int64_t top_k) {
  if (top_k > 1) out += '[';
  for (const AnswerSpan& answer : answers) {
    out += &answer == answers.data() ? "{\"score\": " : ", {\"score\": ";
    append_number(out, static_cast<float>(answer.score));
    out += ", \"start\": " + std::to_string(answer.start) + ", \"end\": " + std::to_string(answer.end) + ", ";
    append_field(out, "answer", answer.text);
    out += '}';
  }
  if (top_k > 1) out += ']';
}

void append_fills(std::string& out, const Tokenizer& tokenizer, const Encoding& encoding, std::span<const float> logits,
                  int64_t top_k) {
  const auto mask = tokenizer.special_ids().mask;
  std::vector<size_t> places;
  for (size_t t = 0; t < encoding.size(); ++t) {
    if (mask && encoding.ids[t] == *mask) places.push_back(t);
  }
  if (places.empty()) {
    throw UserError("predict", "expected a text with " +
                                   std::string(mask ? tokenizer.token_of(*mask) : "a mask token") + ", got none");
  }
  const size_t vocab = logits.size() / places.size();
  if (places.size() > 1) out += '[';
  for (size_t m = 0; m < places.size(); ++m) {
    const std::vector<double> scores = models::softmax(logits.subspan(m * vocab, vocab));
    out += m > 0 ? ", [" : "[";
    const auto chosen = best(scores, top_k);
    for (size_t i = 0; i < chosen.size(); ++i) {
      const auto id = static_cast<int32_t>(chosen[i]);
      std::vector<int32_t> filled = encoding.ids;
      filled[places[m]] = id;
      out += i > 0 ? ", {\"score\": " : "{\"score\": ";
      append_number(out, static_cast<float>(scores[chosen[i]]));
      out += ", \"token\": " + std::to_string(id) + ", ";
      append_field(out, "token_str", tokenizer.decode(std::span(&id, 1), false));
      out += ", ";
      append_field(out, "sequence", tokenizer.decode(filled, places.size() == 1));
      out += '}';
    }
    out += ']';
  }
  if (places.size() > 1) out += ']';
}

}  // namespace suanli::infer

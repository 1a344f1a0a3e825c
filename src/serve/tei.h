/// What the routes and the methods of text-embeddings-inference share: errors, timings, fields, the order of scores.
#pragma once

#include "base/json.h"
#include "serve/ask.h"

namespace suanli::serve {

/// {"error", "error_type"}, with the codes that text-embeddings-inference gives.
Response tei_error(Fault fault, std::string_view message);

/// What an answer says of the work that it took.
class Effort {
 public:
  Effort(const Service& service, const ExchangePointer& exchange)
      : energy_(service.energy), arrival_(exchange->request().arrival) {}

  /// With the headers that text-embeddings-inference gives, milliseconds and what was computed, and the energy where it
  /// is known.
  Response answer(std::string body, const Answers& answers) const;
  /// Since the request came.
  std::chrono::nanoseconds total() const { return infer::Clock::now() - arrival_; }

 private:
  ModelEnergy& energy_;
  infer::Clock::time_point arrival_;
};

/// The model of that name, the only one for "". Throws RequestError of `fault` for one of another kind: "this model
/// does not" `what`.
ModelPointer tei_model(const Service& service, const std::string& name, ModelKind kind, const char* what,
                       Fault fault = Fault::backend);
/// The same of a model that ranks texts: a classifier of one label.
ModelPointer tei_ranker(const Service& service, const std::string& name, Fault fault = Fault::backend);

/// `truncate` and `truncation_direction` of a body. Throws RequestError.
void read_truncation(const Json& body, Question& question);
/// Puts the prompt that a body names, if any, before each text. Throws RequestError.
void read_prompt(const Json& body, const ServedModel& model, std::vector<Input>& inputs);
/// Puts the prompt of that name before each text. Throws RequestError where the model has none of it.
void add_prompt(const ServedModel& model, const std::string& name, std::vector<Input>& inputs);

struct Scored {
  double score;
  size_t index;
};
/// The labels of a classifier for a row of its logits, the most probable first; `raw`: logits, not probabilities.
std::vector<Scored> ranked_labels(const ServedModel& model, std::span<const float> logits, bool raw);
/// The texts that a ranker was asked about, the best first; `raw`: logits, not their sigmoid.
std::vector<Scored> ranked_texts(const Answers& answers, bool raw);

// The handlers of HTTP.
void embed(const Service& service, const ExchangePointer& exchange);
void embed_all(const Service& service, const ExchangePointer& exchange);
void similarity(const Service& service, const ExchangePointer& exchange);
/// `nested`: the labels of a single text stand in a list of their own, as Hugging Face's clients expect.
void predict_texts(const Service& service, const ExchangePointer& exchange, bool nested);
void rerank(const Service& service, const ExchangePointer& exchange);
void tokenize(const Service& service, const ExchangePointer& exchange);
void decode(const Service& service, const ExchangePointer& exchange);

}  // namespace suanli::serve

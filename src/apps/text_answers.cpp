#include "apps/text_answers.h"

#include "infer/predictions.h"
#include "serve/embedding.h"

namespace suanli::apps {

namespace {

std::vector<infer::TokenSequence> tokens_of(const infer::TextModel& model, const std::vector<std::string>& texts) {
  std::vector<Encoding> encodings;
  for (const std::string& text : texts) encodings.push_back(model.tokenizer.encode(text, model.encode_options));
  return infer::token_sequences(encodings);
}

}  // namespace

std::vector<std::vector<float>> embed_texts(const infer::TextModel& model, const std::vector<std::string>& texts) {
  auto rows = model.engine.run(tokens_of(model, texts), infer::Output::embedding);
  for (auto& row : rows) row = serve::embedding_of(row, row.size(), true);
  return rows;
}

std::vector<std::vector<double>> classify_texts(const infer::TextModel& model, const std::vector<std::string>& texts) {
  std::vector<std::vector<double>> out;
  for (const auto& row : model.engine.run(tokens_of(model, texts), infer::Output::sequence_logits)) {
    out.push_back(infer::label_scores(model.engine.model().config(), row));
  }
  return out;
}

}  // namespace suanli::apps

#include "base/json_text.h"
#include "serve/embedding.h"
#include "serve/fields.h"
#include "serve/tei.h"

namespace suanli::serve {

void embed(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const ModelPointer model = tei_model(service, string_field(body, "model", ""), ModelKind::embedding, "embed texts");
  bool single = false;
  Question question{.inputs = inputs_of(body, "inputs", single), .output = infer::Output::embedding};
  read_truncation(body, question);
  read_prompt(body, *model, question.inputs);
  const bool normalize = bool_field(body, "normalize", true);
  const auto dimensions = static_cast<size_t>(
      integer_field(body, "dimensions", model->config().hidden_size, 1, model->config().hidden_size));
  ask(model, exchange, std::move(question), tei_error,
      [normalize, dimensions, effort = Effort(service, exchange)](const Answers& answers) {
        std::string out = "[";
        for (const auto& row : answers.rows) {
          if (out.size() > 1) out += ',';
          append_numbers(out, embedding_of(row, dimensions, normalize));
        }
        return effort.answer(out + "]", answers);
      });
}

void embed_all(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const ModelPointer model = tei_model(service, string_field(body, "model", ""), ModelKind::embedding, "embed texts");
  bool single = false;
  Question question{.inputs = inputs_of(body, "inputs", single), .output = infer::Output::token_embeddings};
  read_truncation(body, question);
  read_prompt(body, *model, question.inputs);
  ask(model, exchange, std::move(question), tei_error,
      [width = static_cast<size_t>(model->config().hidden_size),
       effort = Effort(service, exchange)](const Answers& answers) {
        std::string out = "[";
        for (const auto& rows : answers.rows) {
          out += out.size() > 1 ? ",[" : "[";
          for (size_t t = 0; t < rows.size(); t += width) {
            if (t > 0) out += ',';
            append_numbers(out, std::span(rows).subspan(t, width));
          }
          out += ']';
        }
        return effort.answer(out + "]", answers);
      });
}

void similarity(const Service& service, const ExchangePointer& exchange) {
  const Json body = read_body(exchange->request());
  const ModelPointer model = tei_model(service, string_field(body, "model", ""), ModelKind::embedding, "embed texts");
  const Json* inputs = field(body, "inputs");
  if (inputs == nullptr || !inputs->is_object()) wrong_field("inputs", "an object of source_sentence and sentences");
  Question question{.inputs = {{.text = string_field(*inputs, "source_sentence", "")}},
                    .output = infer::Output::embedding};
  bool single = false;
  for (Input& input : inputs_of(*inputs, "sentences", single)) question.inputs.push_back(std::move(input));
  const Json* parameters = field(body, "parameters");
  const Json none = Json::object();
  read_truncation(parameters != nullptr && parameters->is_object() ? *parameters : none, question);
  ask(model, exchange, std::move(question), tei_error, [effort = Effort(service, exchange)](const Answers& answers) {
    std::vector<float> cosines;
    const auto source = embedding_of(answers.rows.front(), answers.rows.front().size(), true);
    for (const auto& row : std::span(answers.rows).subspan(1)) {
      const auto other = embedding_of(row, row.size(), true);
      double sum = 0;
      for (size_t h = 0; h < other.size(); ++h) sum += static_cast<double>(source[h]) * other[h];
      cosines.push_back(static_cast<float>(sum));
    }
    std::string out;
    append_numbers(out, cosines);
    return effort.answer(out, answers);
  });
}

}  // namespace suanli::serve

/// POST / as Hugging Face's inference client asks it: what the one model of the server is for.
#pragma once

#include "serve/ask.h"
#include "serve/service.h"

namespace suanli::serve {

/// The model is asked as the client asks for its task; a body of JSON, or of pictures the file itself.
void answer_hub(const Service& service, const ExchangePointer& exchange, ErrorForm form);

/// Models of texts. Throws RequestError.
void answer_hub_texts(const Service& service, const ExchangePointer& exchange);

/// Tagging, masks and questions, in the forms of transformers' pipelines.
void hub_pipeline(const Service& service, const ExchangePointer& exchange, const ModelPointer& model, ErrorForm form);

/// `parameters` of a body: handle_impossible_answer, max_answer_len, top_k, max_seq_len, doc_stride. Sets the windows
/// of `question`. Throws RequestError.
AnswerOptions read_answer_options(const Json& parameters, Question& question);

/// `predictions` of texts in JSON, one for each input: what suanli predict prints.
std::vector<std::string> text_predictions(const ServedModel& model, const Answers& answers,
                                          const AnswerOptions& options, int64_t top_k);

}  // namespace suanli::serve

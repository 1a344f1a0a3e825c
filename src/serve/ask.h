/// A question to a model on behalf of a request: deadline, cancellation, errors in the form of the route's API.
#pragma once

#include <functional>

#include "serve/served_model.h"

namespace suanli::serve {

/// Asks `model` and answers the exchange with what `write` makes of the answers, on the network thread.
inline void ask(const ModelPointer& model, const ExchangePointer& exchange, Question question, ErrorForm form,
                std::function<Response(const Answers&)> write) {
  exchange->counts_for(model->name());
  question.work.deadline = exchange->request().deadline;
  question.work.cancelled = exchange->cancelled();
  question.request_id = exchange->request().id;
  model->ask(
      std::move(question),
      [exchange, write = std::move(write)](Answers answers) {
        exchange->answer_with([write, kept = std::make_shared<Answers>(std::move(answers))] { return write(*kept); });
      },
      [exchange, form](const RequestError& error) { exchange->answer(error_answer(form, error)); });
}

}  // namespace suanli::serve

/// A question to a model on behalf of a request: deadline, cancellation, errors in the form of the route's API.
#pragma once

#include <functional>

#include "base/error.h"
#include "serve/service.h"

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

/// The same of a model of rows, pictures or series; `write` runs on the model's thread.
inline void ask(const PredictorPointer& model, const ExchangePointer& exchange, Asking asking, ErrorForm form,
                std::function<Response(Predicted&)> write) {
  exchange->counts_for(model->name());
  asking.work.deadline = exchange->request().deadline;
  asking.work.cancelled = exchange->cancelled();
  asking.request_id = exchange->request().id;
  model->ask(
      std::move(asking),
      [exchange, model, write = std::move(write)](Predicted predicted) { exchange->answer(write(predicted)); },
      [exchange, model, form](const RequestError& error) { exchange->answer(error_answer(form, error)); });
}

/// Runs `handle` beside the network thread where the request is larger than what is read at once; what it throws is the
/// answer.
inline void beside(const Service& service, const ExchangePointer& exchange, ErrorForm form,
                   std::function<void()> handle) {
  constexpr size_t kSmall = 4096;
  if (exchange->request().body.size() <= kSmall) return handle();
  service.models.in_background([exchange, form, handle = std::move(handle)] {
    try {
      handle();
    } catch (const RequestError& error) {
      exchange->answer(error_answer(form, error));
    } catch (const UserError& error) {
      exchange->answer(form(Fault::invalid, error.what()));
    }
  });
}

}  // namespace suanli::serve

#include "apps/ask.h"

namespace suanli::apps {

OnBehalf on_behalf_of(const serve::Exchange& exchange) {
  OnBehalf out;
  out.work.deadline = exchange.request().deadline;
  out.work.cancelled = exchange.cancelled();
  out.request_id = exchange.request().id;
  return out;
}

OnError error_to(const serve::ExchangePointer& exchange) {
  return [exchange](const serve::RequestError& error) {
    exchange->answer(serve::error_answer(serve::plain_error, error));
  };
}

void ask_served(const serve::Service& service, const std::string& name, const OnBehalf& behalf,
                std::vector<serve::Input> inputs,
                std::function<void(const serve::Answers&, const serve::ServedModel&)> then, const OnError& fail) {
  try {
    const serve::ModelPointer model = service.models.get(name);
    serve::Question question{.inputs = std::move(inputs),
                             .output = model->output(),
                             .truncate = true,
                             .work = behalf.work,
                             .request_id = behalf.request_id};
    model->ask(
        std::move(question), [then = std::move(then), model](const serve::Answers& answers) { then(answers, *model); },
        fail);
  } catch (const serve::RequestError& error) {
    fail(error);
  }
}

}  // namespace suanli::apps

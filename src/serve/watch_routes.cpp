#include <cmath>
#include <ctime>

#include "serve/fields.h"
#include "serve/service.h"

namespace suanli::serve {

namespace {

/// Runs `action` beside the network thread and answers with what it returns.
void answer_in_background(const Service& service, const ExchangePointer& exchange, std::function<Response()> action) {
  service.models.in_background([exchange, action = std::move(action)] {
    try {
      exchange->answer(action());
    } catch (const RequestError& error) {
      exchange->answer(error_answer(plain_error, error));
    }
  });
}

Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Response drift_answer(const std::shared_ptr<LoadedModel>& model) {
  Json scores = Json::array();
  bool drifted = false;
  for (const monitor::DriftScore& score : model->watch().drift()) {
    drifted = drifted || score.drifted;
    scores.push_back({{"feature", score.feature},
                      {"test", score.test},
                      {"statistic", finite_or_null(score.statistic)},
                      {"p_value", finite_or_null(score.p_value)},
                      {"threshold", score.threshold},
                      {"drifted", score.drifted},
                      {"baseline_count", score.baseline_count},
                      {"window_count", score.window_count}});
  }
  const Json out = {{"model_name", model->name()},
                    {"baseline", model->watch().has_baseline()},
                    {"drifted", drifted},
                    {"scores", scores}};
  return {.body = out.dump()};
}

/// {"id": x-request-id of the answer, "index": of its inputs, "label": the truth}
void take_feedback(const Service& service, const ExchangePointer& exchange) {
  const auto model = any_of_path(service, exchange->request());
  exchange->counts_for(model->name());
  const Json body = read_body(exchange->request());
  const std::string id = string_field(body, "id", ""), label = string_field(body, "label", "");
  if (id.empty()) wrong_field("id", "the x-request-id of an answer");
  if (std::ranges::count(model->labels(), label) == 0) wrong_field("label", "a label of the model");
  const auto index = static_cast<size_t>(integer_field(body, "index", 0, 0, INT32_MAX));
  switch (model->watch().feedback().label(id, index, label)) {
    case monitor::Feedback::Result::unknown_id:
      throw RequestError(Fault::not_found, "no answer of that id and index is remembered");
    case monitor::Feedback::Result::counted_before:
      throw RequestError(Fault::invalid, "this answer has its label already");
    case monitor::Feedback::Result::counted:
      break;
  }
  const monitor::LiveAccuracy accuracy = model->watch().feedback().accuracy();
  exchange->answer({.body = Json({{"labelled", accuracy.labelled},
                                  {"correct", accuracy.correct},
                                  {"accuracy_low", accuracy.low},
                                  {"accuracy_high", accuracy.high}})
                                .dump()});
}

/// The model's joules since the start, and its part in what the machine cost.
Response energy_answer(const Service& service, const std::shared_ptr<LoadedModel>& model) {
  const auto [reading, by_model] = service.energy.read();
  const monitor::EnergyBill bill = monitor::bill_of(reading, service.prices);
  const int64_t tokens = model->tokens();
  const auto found = by_model.find(model->name());
  const double own = found == by_model.end() ? 0 : found->second, all = reading.joules().value_or(0);
  const double share = all > 0 ? own / all : 0;
  const auto part = [&](const std::optional<double>& whole) { return whole ? Json(*whole * share) : Json(); };
  const auto joules = reading.joules();
  Json out = {{"model_name", model->name()},
              {"source", monitor::name_of(reading.source())},
              {"how", reading.cpu.how},
              {"seconds", reading.seconds},
              {"tokens", tokens},
              {"joules", part(joules)},
              {"joules_per_token", Json()},
              {"kwh", part(bill.kwh)},
              {"cost", part(bill.cost)},
              {"currency", service.prices.currency.empty() ? Json() : Json(service.prices.currency)},
              {"co2_kg", part(bill.co2_kg)},
              {"table_date", service.prices.date.empty() ? Json() : Json(service.prices.date)}};
  if (joules && tokens > 0) out["joules_per_token"] = own / static_cast<double>(tokens);
  return {.body = out.dump()};
}

}  // namespace

void add_watch_routes(Router& router, const Service& service) {
  router.add({.method = "GET",
              .pattern = "/metrics",
              .scope = Scope::metrics,
              .handler = [service](const ExchangePointer& exchange) {
                answer_in_background(service, exchange, [&metrics = service.metrics]() -> Response {
                  return {.body = metrics.text(), .content_type = "text/plain; version=0.0.4; charset=utf-8"};
                });
              }});
  router.add({.method = "GET",
              .pattern = "/v2/alerts",
              .scope = Scope::metrics,
              .handler = [&alerts = service.alerts](const ExchangePointer& exchange) {
                exchange->answer({.body = alerts.json().dump()});
              }});
  const auto add = [&](const char* method, const std::string& pattern, Scope scope, auto action) {
    router.add({.method = method,
                .pattern = pattern,
                .scope = scope,
                .handler = [service, action](const ExchangePointer& exchange) { action(service, exchange); }});
  };
  for (const char* model : {"/v2/models/{model}", "/v2/models/{model}/versions/{version}"}) {
    const std::string prefix = model;
    add("GET", prefix + "/drift", Scope::metrics, [](const Service& all, const ExchangePointer& exchange) {
      answer_in_background(all, exchange,
                           [found = any_of_path(all, exchange->request())] { return drift_answer(found); });
    });
    add("GET", prefix + "/energy", Scope::metrics, [](const Service& all, const ExchangePointer& exchange) {
      exchange->answer(energy_answer(all, all.models.any(exchange->request().parameters[0])));
    });
    add("POST", prefix + "/feedback", Scope::infer, take_feedback);
  }
}

}  // namespace suanli::serve

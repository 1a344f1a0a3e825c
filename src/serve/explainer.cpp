#include "serve/explainer.h"

#include "base/concat.h"

namespace suanli::serve {

namespace {

// A text on its way through the queue: what is asked stands in `categories`, the answer in `numbers`.
infer::Prepared item_of(const Encoding& text, const infer::AttributionOptions& options) {
  infer::Prepared item;
  item.example.ids = text.ids;
  item.example.types = text.types;
  item.example.special = text.special;
  item.example.categories = {static_cast<int32_t>(options.method), static_cast<int32_t>(options.n_steps),
                             static_cast<int32_t>(options.label)};
  return item;
}

infer::Prediction explained(const infer::TextModel& model, const infer::Prepared& item) {
  Encoding text;
  text.ids = item.example.ids;
  text.types = item.example.types;
  text.special = item.example.special;
  const auto& asked = item.example.categories;
  const infer::Attribution found = infer::attribute(
      model.engine.model(), text, model.tokenizer.special_ids().pad.value_or(0),
      {.method = static_cast<infer::AttributionMethod>(asked[0]), .n_steps = asked[1], .label = asked[2]});
  infer::Prediction out;
  out.numbers = {static_cast<float>(found.label), static_cast<float>(found.output),
                 static_cast<float>(found.baseline_output)};
  out.numbers.insert(out.numbers.end(), found.tokens.begin(), found.tokens.end());
  return out;
}

infer::Attribution attribution_of(const infer::Prediction& answer) {
  return {.label = static_cast<int64_t>(answer.numbers[0]),
          .output = answer.numbers[1],
          .baseline_output = answer.numbers[2],
          .tokens = {answer.numbers.begin() + 3, answer.numbers.end()}};
}

}  // namespace

Explainer::Explainer(const infer::TextModel& model, const Limits& limits)
    : model_(model),
      limits_(limits),
      scheduler_(
          [this](std::span<const infer::Prepared> items) {
            std::vector<infer::Prediction> out;
            for (const infer::Prepared& item : items) out.push_back(explained(model_, item));
            return out;
          },
          {.items_per_batch = 1, .queued = limits.queued}) {}

void Explainer::explain(const std::vector<Encoding>& texts, const infer::AttributionOptions& options,
                        const infer::WorkOptions& work, std::function<void(std::vector<infer::Attribution>)> on_answer,
                        std::function<void(const RequestError&)> on_error) {
  const nn::Parameter& first = model_.engine.model().parameters->all().front();
  if (first.value.device() != Device{}) {
    throw RequestError(Fault::invalid, "expected a model on the CPU, which alone explains");
  }
  const bool gradients = options.method == infer::AttributionMethod::integrated_gradients;
  if (gradients && std::string_view(model_.precision) != "f32") {
    throw RequestError(Fault::invalid,
                       concat("expected the method occlusion: a model in ", model_.precision, " has no gradients"));
  }
  int64_t tokens = 0;
  infer::PredictionJob job{.items = {}, .options = work, .on_end = {}};
  for (const Encoding& text : texts) {
    const auto length = std::ssize(text.ids);
    tokens += length * (gradients ? options.n_steps : length);
    job.items.push_back(item_of(text, options));
  }
  if (tokens > limits_.explained_tokens) {
    throw RequestError(Fault::invalid, concat("expected at most ", limits_.explained_tokens,
                                              " tokens times steps, got ", tokens, "; ask for fewer texts or n_steps"));
  }
  job.on_end = [on_answer = std::move(on_answer), on_error = std::move(on_error)](infer::PredictionResult result) {
    if (result.ending != infer::Ending::done) return on_error(ending_error(result.ending, result.message));
    std::vector<infer::Attribution> out;
    for (const infer::Prediction& answer : result.answers) out.push_back(attribution_of(answer));
    on_answer(std::move(out));
  };
  scheduler_.submit(std::move(job));
}

}  // namespace suanli::serve

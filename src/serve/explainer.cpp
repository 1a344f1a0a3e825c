#include "serve/explainer.h"

#include "base/concat.h"

namespace suanli::serve {

size_t bytes_of(const TextToExplain& item) { return item.text.ids.size() * sizeof(item.text.ids[0]); }

Explainer::Explainer(const infer::TextModel& model, const Limits& limits)
    : model_(model),
      limits_(limits),
      scheduler_(
          [this](std::span<const TextToExplain> items) {
            std::vector<infer::Attribution> out;
            const int32_t pad = model_.tokenizer.special_ids().pad.value_or(0);
            for (const auto& [text, options] : items) {
              out.push_back(infer::attribute(model_.engine.model(), text, pad, options));
            }
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
  decltype(scheduler_)::Job job{.items = {}, .options = work, .on_end = {}};
  for (const Encoding& text : texts) {
    const auto length = std::ssize(text.ids);
    tokens += length * (gradients ? options.n_steps : length);
    job.items.push_back({text, options});
  }
  if (tokens > limits_.explained_tokens) {
    throw RequestError(Fault::invalid, concat("expected at most ", limits_.explained_tokens,
                                              " tokens times steps, got ", tokens, "; ask for fewer texts or n_steps"));
  }
  job.on_end = [on_answer = std::move(on_answer),
                on_error = std::move(on_error)](infer::ItemResult<infer::Attribution> result) {
    if (result.ending != infer::Ending::done) return on_error(ending_error(result.ending, result.message));
    on_answer(std::move(result.answers));
  };
  scheduler_.submit(std::move(job));
}

}  // namespace suanli::serve

/// Explains a classifier's answers on a thread of its own, behind a queue of its own.
#pragma once

#include <functional>
#include <vector>

#include "infer/attribution.h"
#include "infer/item_scheduler.h"
#include "infer/text_model.h"
#include "serve/fault.h"
#include "serve/limits.h"

namespace suanli::serve {

/// A text whose answer is to be explained.
struct TextToExplain {
  Encoding text;
  infer::AttributionOptions options;
};
size_t bytes_of(const TextToExplain& item);

class Explainer {
 public:
  /// `model` outlives it.
  Explainer(const infer::TextModel& model, const Limits& limits);

  /// The attributions of each text, on some thread: exactly one of the two is called, once. Throws RequestError where
  /// the model cannot be explained so, and for more work than limits.explained_tokens.
  void explain(const std::vector<Encoding>& texts, const infer::AttributionOptions& options,
               const infer::WorkOptions& work, std::function<void(std::vector<infer::Attribution>)> on_answer,
               std::function<void(const RequestError&)> on_error);
  void drain() { scheduler_.drain(); }

 private:
  const infer::TextModel& model_;
  const Limits& limits_;
  infer::ItemScheduler<TextToExplain, infer::Attribution> scheduler_;
};

}  // namespace suanli::serve

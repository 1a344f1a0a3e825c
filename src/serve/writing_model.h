/// A causal language model that writes texts for many callers.
#pragma once

#include <functional>
#include <optional>

#include "infer/generation_scheduler.h"
#include "infer/text_model.h"
#include "monitor/service_metrics.h"
#include "serve/fault.h"
#include "serve/limits.h"
#include "serve/loaded_model.h"
#include "text/chat_template.h"
#include "text/continuation.h"

namespace suanli::serve {

struct Writing {
  infer::TokenIds prompt;
  GenerationConfig config;  ///< with the stop strings
  infer::WorkOptions work = {};
  std::function<void(std::string_view)> on_text = {};  ///< each new part of the text, on the model's thread
  /// Once, behind all parts.
  std::function<void(const infer::GenerationEnd&)> on_end;
};

class WritingModel final : public LoadedModel {
 public:
  /// Throws UserError.
  WritingModel(std::string name, int64_t version, const std::filesystem::path& folder, const ModelOptions& options,
               const Limits& limits, monitor::ServiceMetrics& metrics);

  const char* kind_name() const override { return "causal_lm"; }
  const Tokenizer& tokenizer() const override { return tokenizer_; }
  int64_t max_length() const override { return max_length_; }
  int64_t tokens() const override {
    const infer::GenerationStats stats = scheduler_.stats();
    return stats.prompt_tokens + stats.new_tokens;
  }
  size_t queued() const override { return scheduler_.stats().queued; }
  void drain() override { scheduler_.drain(); }

  /// generation_config.json.
  const GenerationConfig& defaults() const { return defaults_; }
  /// The tokens of a conversation, with the beginning of an answer. Throws RequestError where the model has no
  /// template, or the template refuses it.
  infer::TokenIds chat_prompt(const std::vector<ChatMessage>& messages) const;
  /// From any thread. Throws RequestError for what cannot be written.
  void write(Writing writing);

 private:
  WritingModel(std::string name, int64_t version, const std::filesystem::path& folder, const ModelOptions& options,
               const Limits& limits, monitor::ServiceMetrics& metrics, infer::CausalModel loaded);

  monitor::ServiceMetrics& metrics_;
  Tokenizer tokenizer_;
  GenerationConfig defaults_;
  std::optional<ChatTemplate> chat_;
  int64_t max_length_;
  infer::GenerationScheduler scheduler_;
};

using WriterPointer = std::shared_ptr<WritingModel>;

}  // namespace suanli::serve

#include "serve/writing_model.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "formats/lora_folder.h"

namespace suanli::serve {

namespace {

// Memory for keys and values is taken for every slot when the model is loaded.
constexpr int64_t kSlotTokens = 2048;

std::optional<ChatTemplate> read_chat_template(const std::filesystem::path& folder) {
  try {
    return ChatTemplate::load(folder_with(folder, {"chat_template.jinja", "tokenizer_config.json"}));
  } catch (const UserError& error) {
    log_info(std::string("no chat: ") + error.what());
    return {};
  }
}

/// A text on its way: tokens in, whole characters out.
struct Text {
  Continuation continuation;
  size_t sent = 0;
  std::function<void(std::string_view)> on_text;

  void send() {
    const std::string_view certain = continuation.text_before_stop();
    if (certain.size() > sent && on_text) on_text(certain.substr(sent));
    sent = certain.size();
  }
};

}  // namespace

WritingModel::WritingModel(std::string name, int64_t version, const std::filesystem::path& folder,
                           const ModelOptions& options, const Limits& limits, monitor::ServiceMetrics& metrics)
    : WritingModel(std::move(name), version, folder, options, limits, metrics,
                   infer::load_causal_model(folder, options.device, options.precision)) {}

WritingModel::WritingModel(std::string name, int64_t version, const std::filesystem::path& folder,
                           const ModelOptions& options, const Limits& limits, monitor::ServiceMetrics& metrics,
                           infer::CausalModel loaded)
    : LoadedModel(std::move(name), version, folder),
      metrics_(metrics),
      tokenizer_(std::move(loaded.tokenizer)),
      defaults_(read_generation_config(base_model_folder(folder))),
      chat_(read_chat_template(folder)),
      max_length_(options.max_length > 0 ? std::min(options.max_length, loaded.model.config().longest_sequence)
                                         : loaded.model.config().longest_sequence),
      scheduler_(std::move(loaded.model), loaded.dtype,
                 {.slots = options.slots, .capacity = std::min(max_length_, kSlotTokens), .queued = limits.queued}) {}

infer::TokenIds WritingModel::chat_prompt(const std::vector<ChatMessage>& messages) const {
  if (!chat_) throw RequestError(Fault::invalid, "this model has no chat template; ask for completions");
  try {
    return tokenizer_.encode(chat_->apply(messages, true), {.add_special_tokens = false}).ids;
  } catch (const UserError& error) {
    throw RequestError(Fault::invalid, error.what());
  }
}

void WritingModel::write(Writing writing) {
  auto text = std::make_shared<Text>(
      Text{.continuation = {tokenizer_, writing.prompt, writing.config.stop_strings}, .on_text = writing.on_text});
  infer::GenerationRequest request;
  request.config = writing.config;
  request.options = writing.work;
  request.on_tokens = [text](std::span<const int32_t> added) {
    const bool stops = text->continuation.take(added);
    text->send();
    return stops;
  };
  request.on_end = [this, text, on_end = std::move(writing.on_end)](const infer::GenerationEnd& end) {
    if (end.ending == infer::Ending::done) {
      text->continuation.end();
      text->send();
      metrics_.part(monitor::Part::queue, name(), static_cast<double>(end.timing.queue_ns) * 1e-9);
      metrics_.part(monitor::Part::inference, name(), static_cast<double>(end.timing.compute_ns) * 1e-9);
    }
    if (end.new_tokens > 0) {  // else refused, or nobody waited any more: nothing was computed
      metrics_.input(name(), end.prompt_tokens);
      metrics_.batch(name(), 1, end.prompt_tokens + end.new_tokens);
    }
    on_end(end);
  };
  request.prompt = std::move(writing.prompt);
  try {
    scheduler_.submit(std::move(request));
  } catch (const UserError& error) {
    throw RequestError(Fault::invalid, error.what());
  }
}

}  // namespace suanli::serve

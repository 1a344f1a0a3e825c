/// A model that answers texts: from inputs to rows of numbers, on the threads of its scheduler.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "infer/passages.h"
#include "infer/scheduler.h"
#include "infer/text_model.h"
#include "monitor/service_metrics.h"
#include "serve/explainer.h"
#include "serve/fault.h"
#include "serve/limits.h"
#include "serve/loaded_model.h"

namespace suanli::serve {

enum class ModelKind { embedding, classification, token_classification, fill_mask, question_answering };

/// One text, or two (a question and its context), or tokens as the client made them.
struct Input {
  std::string text = {};
  std::optional<std::string> pair = {};
  std::vector<int32_t> ids = {}, types = {};  ///< no types: all 0
};

struct Question {
  std::vector<Input> inputs;
  infer::Output output;
  bool truncate = false;  ///< else a text that is too long is refused
  Side truncation_side = Side::right;
  QuestionWindowOptions windows = {.max_length = 0};  ///< of a context; 0: 384 tokens, or what the model takes
  infer::WorkOptions work = {};
  std::string request_id = {};  ///< by which a label may come later
};

struct Answers {
  std::vector<Encoding> encodings;
  std::vector<infer::Passage> passages;  ///< of questions, in the place of encodings: a row for each window
  std::vector<std::vector<float>> rows;
  int64_t tokenization_ns = 0;
  infer::Timing timing;
  int64_t characters = 0, tokens = 0;  ///< code points; what was computed
};

/// What a model folder answers with: that of its architecture, none for a folder of sentence transformers.
models::Head served_head(const std::filesystem::path& folder);

/// The answers to question `input` of those that were asked.
std::vector<AnswerSpan> spans_of(const Answers& answers, size_t input, const AnswerOptions& options);

class ServedModel final : public LoadedModel, public std::enable_shared_from_this<ServedModel> {
 public:
  /// `head`: that of served_head(). Loads the folder and computes one batch, so that the first request meets a warm
  /// model. Throws UserError.
  ServedModel(std::string name, int64_t version, const std::filesystem::path& folder, models::Head head,
              const ModelOptions& options, const Limits& limits, monitor::ServiceMetrics& metrics,
              boost::asio::thread_pool& tokenizers);

  ModelKind kind() const { return kind_; }
  const infer::TextModel& model() const { return model_; }
  const models::ModelConfig& config() const { return model_.engine.model().config(); }
  int64_t max_length() const override { return model_.encode_options.max_length; }
  const char* kind_name() const override;
  const Tokenizer& tokenizer() const override { return model_.tokenizer; }
  const std::vector<std::string>& labels() const override { return model_.engine.model().config().labels; }
  /// What sentence transformers put before a text, by name.
  const std::map<std::string, std::string>& prompts() const { return prompts_; }
  const char* precision() const { return model_.precision; }
  int64_t tokens() const override { return counts().tokens; }
  size_t queued() const override { return scheduler_.queued(); }

  ModelCounts counts() const override { return counter_.read(); }

  /// What most questions to this kind of model ask for.
  infer::Output output() const;

  /// Answers on some thread: exactly one of the two is called, once. Throws RequestError for what can be refused now.
  void ask(Question question, std::function<void(Answers)> on_answer,
           std::function<void(const RequestError&)> on_error);

  /// The tokens of an input. Throws RequestError where there are too many and none may be cut.
  Encoding encode(const Input& input, const Question& question) const;

  /// Of classifiers.
  Explainer& explainer() { return explainer_; }

  void drain() override {
    scheduler_.drain();
    explainer_.drain();
  }

 private:
  std::vector<infer::Passage> passages_of(const Question& question) const;
  void encode_and_submit(Question question, std::function<void(Answers)> on_answer,
                         std::function<void(const RequestError&)> on_error);

  ModelKind kind_;
  std::map<std::string, std::string> prompts_;
  const Limits& limits_;
  monitor::ServiceMetrics& metrics_;
  boost::asio::thread_pool& tokenizers_;
  ModelCounter counter_;
  infer::TextModel model_;
  infer::Scheduler scheduler_;
  Explainer explainer_;
};

using ModelPointer = std::shared_ptr<ServedModel>;

}  // namespace suanli::serve

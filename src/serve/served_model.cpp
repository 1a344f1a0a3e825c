#include "serve/served_model.h"

#include <boost/asio/post.hpp>

#include "base/error.h"
#include "base/json.h"
#include "models/config.h"
#include "monitor/profile.h"
#include "serve/observed.h"

namespace suanli::serve {

namespace {

using infer::Clock;
using infer::Ending;

// Up to so many bytes are tokenised at once on the thread that asks: another thread would take longer to wake up.
constexpr size_t kShortText = 4096;

ModelKind kind_of(models::Head head, const std::string& folder) {
  switch (head) {
    case models::Head::none:
      return ModelKind::embedding;
    case models::Head::sequence_classification:
      return ModelKind::classification;
    case models::Head::token_classification:
      return ModelKind::token_classification;
    case models::Head::masked_lm:
      return ModelKind::fill_mask;
    case models::Head::question_answering:
      return ModelKind::question_answering;
    default:
      throw UserError(
          folder,
          "expected a model that embeds, classifies, tags or fills masks of texts or answers questions, got "
          "another one");
  }
}

infer::TextModel load(const std::filesystem::path& folder, models::Head head, const ModelOptions& options,
                      const Limits& limits) {
  infer::TextModelOptions out{.head = head};
  out.device = options.device;
  out.precision = options.precision;
  out.max_length = options.max_length;
  out.tokens_per_batch = limits.tokens_per_batch;
  return infer::load_text_model(folder, out);
}

std::map<std::string, std::string> read_prompts(const std::filesystem::path& folder) {
  const auto file = folder / "config_sentence_transformers.json";
  std::map<std::string, std::string> out;
  if (!std::filesystem::exists(file)) return out;
  const Json json = read_json(file, 1 << 20);
  const auto prompts = json.find("prompts");
  if (prompts == json.end() || !prompts->is_object()) return out;
  for (const auto& [name, text] : prompts->items()) {
    if (text.is_string()) out[name] = text.get<std::string>();
  }
  return out;
}

double in_seconds(int64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-9; }

}  // namespace

models::Head served_head(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / "modules.json")) return models::Head::none;
  return models::head_of(models::model_json(folder), folder.string() + "/config.json");
}

std::vector<AnswerSpan> spans_of(const Answers& answers, size_t input, const AnswerOptions& options) {
  size_t row = 0;
  for (size_t i = 0; i < input; ++i) row += answers.passages[i].windows.size();
  const infer::Passage& passage = answers.passages[input];
  return infer::answers_in(passage, std::span(answers.rows).subspan(row, passage.windows.size()), options);
}

ServedModel::ServedModel(std::string name, int64_t version, const std::filesystem::path& folder, models::Head head,
                         const ModelOptions& options, const Limits& limits, monitor::ServiceMetrics& metrics,
                         boost::asio::thread_pool& tokenizers)
    : LoadedModel(std::move(name), version, folder),
      kind_(kind_of(head, folder.string())),
      prompts_(read_prompts(folder)),
      limits_(limits),
      metrics_(metrics),
      tokenizers_(tokenizers),
      model_(load(folder, head, options, limits)),
      scheduler_(model_.engine, {.replicas = options.replicas,
                                 .tokens_per_batch = limits.tokens_per_batch,
                                 .queued = limits.queued,
                                 .on_batch =
                                     [this](int64_t sequences, int64_t tokens) {
                                       metrics_.batch(this->name(), sequences, tokens);
                                       counter_.batch(sequences, tokens);
                                     }}),
      explainer_(model_, limits) {
  const infer::TokenSequence one{.ids = {0}, .types = {0}};
  if (kind_ != ModelKind::fill_mask) model_.engine.run(std::vector(2, one), output());
}

const char* ServedModel::kind_name() const {
  constexpr const char* kNames[] = {"embedding", "classification", "token_classification", "fill_mask",
                                    "question_answering"};
  return kNames[static_cast<int>(kind_)];
}

infer::Output ServedModel::output() const {
  constexpr infer::Output kOutputs[] = {infer::Output::embedding, infer::Output::sequence_logits,
                                        infer::Output::token_logits, infer::Output::masked_lm,
                                        infer::Output::span_logits};
  return kOutputs[static_cast<int>(kind_)];
}

Encoding ServedModel::encode(const Input& input, const Question& question) const {
  Encoding encoding;
  EncodeOptions options = model_.encode_options;
  options.truncation_side = question.truncation_side;
  if (!question.truncate) options.max_length = 0;
  try {
    if (!input.ids.empty()) {
      encoding.ids = input.ids;
      encoding.types = input.types;
      encoding.types.resize(input.ids.size());
      encoding.special.resize(input.ids.size());
      encoding.offsets.resize(input.ids.size());
    } else if (input.pair) {
      encoding = model_.tokenizer.encode_pair(input.text, *input.pair, options);
    } else {
      encoding = model_.tokenizer.encode(input.text, options);
    }
  } catch (const UserError& error) {
    throw RequestError(Fault::tokenizer, error.what());
  }
  const auto length = static_cast<int64_t>(encoding.ids.size());
  if (length == 0) throw RequestError(Fault::empty, "expected inputs that are not empty");
  if (length > max_length()) {
    throw RequestError(Fault::tokenizer, "expected at most " + std::to_string(max_length()) + " tokens, got " +
                                             std::to_string(length) + "; shorten the text, or ask to truncate it");
  }
  return encoding;
}

std::vector<infer::Passage> ServedModel::passages_of(const Question& question) const {
  QuestionWindowOptions options = question.windows;
  const int64_t longest = infer::question_window_length(model_);
  options.max_length = options.max_length > 0 ? std::min(options.max_length, max_length()) : longest;
  options.doc_stride = std::min(options.doc_stride, options.max_length / 2);
  std::vector<infer::Passage> passages;
  size_t windows = 0;
  for (const Input& input : question.inputs) {
    if (!input.pair) throw RequestError(Fault::invalid, "expected a question and its context");
    try {
      passages.push_back(infer::passage_of(model_.tokenizer, input.text, *input.pair, options));
    } catch (const UserError& error) {
      throw RequestError(Fault::tokenizer, error.what());
    }
    windows += passages.back().windows.size();
  }
  if (windows > limits_.items_per_request) {
    throw RequestError(Fault::invalid, "expected contexts of at most " + std::to_string(limits_.items_per_request) +
                                           " windows of " + std::to_string(options.max_length) + " tokens, got " +
                                           std::to_string(windows));
  }
  return passages;
}

void ServedModel::ask(Question question, std::function<void(Answers)> on_answer,
                      std::function<void(const RequestError&)> on_error) {
  if (question.inputs.empty()) throw RequestError(Fault::empty, "expected inputs, got none");
  if (question.inputs.size() > limits_.items_per_request) {
    throw RequestError(Fault::invalid, "expected at most " + std::to_string(limits_.items_per_request) +
                                           " inputs, got " + std::to_string(question.inputs.size()));
  }
  size_t bytes = 0;
  for (const Input& input : question.inputs) bytes += input.text.size() + (input.pair ? input.pair->size() : 0);
  if (bytes <= kShortText) return encode_and_submit(std::move(question), std::move(on_answer), std::move(on_error));
  boost::asio::post(tokenizers_, [self = shared_from_this(), question = std::move(question),
                                  on_answer = std::move(on_answer), on_error = std::move(on_error)]() mutable {
    try {
      self->encode_and_submit(std::move(question), std::move(on_answer), on_error);
    } catch (const RequestError& error) {
      on_error(error);
    } catch (const std::exception& error) {
      on_error({Fault::backend, error.what()});
    }
  });
}

void ServedModel::encode_and_submit(Question question, std::function<void(Answers)> on_answer,
                                    std::function<void(const RequestError&)> on_error) {
  const auto begin = Clock::now();
  auto answers = std::make_shared<Answers>();
  infer::Job job;
  const bool passages = question.output == infer::Output::span_logits;
  if (passages) {
    answers->passages = passages_of(question);
    job.sequences = infer::window_sequences(answers->passages);
    for (const auto& sequence : job.sequences) answers->tokens += static_cast<int64_t>(sequence.ids.size());
  }
  for (const Input& input : question.inputs) {
    answers->characters += monitor::characters_of(input.text) + (input.pair ? monitor::characters_of(*input.pair) : 0);
    if (passages) continue;
    answers->encodings.push_back(encode(input, question));
    answers->tokens += static_cast<int64_t>(answers->encodings.back().ids.size());
  }
  if (!passages) job.sequences = infer::token_sequences(answers->encodings);
  job.output = question.output;
  job.options = question.work;
  answers->tokenization_ns = std::chrono::nanoseconds(Clock::now() - begin).count();
  auto asked = std::make_shared<Question>(std::move(question));
  job.on_end = [self = shared_from_this(), answers, asked, on_answer = std::move(on_answer),
                on_error = std::move(on_error)](infer::JobResult result) {
    self->counter_.request(result.ending == Ending::done, result.timing, answers->tokenization_ns);
    if (result.ending != Ending::done) return on_error(ending_error(result.ending, result.message));
    for (const Encoding& encoding : answers->encodings) {
      self->metrics_.input(self->name(), static_cast<int64_t>(encoding.ids.size()));
    }
    self->metrics_.part(monitor::Part::tokenization, self->name(), in_seconds(answers->tokenization_ns));
    self->metrics_.part(monitor::Part::queue, self->name(), in_seconds(result.timing.queue_ns));
    self->metrics_.part(monitor::Part::inference, self->name(), in_seconds(result.timing.compute_ns));
    answers->rows = std::move(result.rows);
    answers->timing = result.timing;
    observe_texts(*self, *asked, *answers);
    on_answer(std::move(*answers));
  };
  try {
    scheduler_.submit(std::move(job));
  } catch (const UserError& error) {
    throw RequestError(Fault::invalid, error.what());
  }
}

}  // namespace suanli::serve

#include "cli/session_work.h"

#include <cmath>

#include "autograd/tape.h"
#include "base/error.h"
#include "cli/session_pictures.h"
#include "infer/engine.h"
#include "nn/precision.h"
#include "optim/gradients.h"
#include "optim/optimizer.h"
#include "text/tokenizer.h"
#include "train/image_classification.h"
#include "train/task.h"
#include "train/train_step.h"

namespace suanli::cli {

namespace {

constexpr const char* kRequest = "request of the session";
constexpr int kCheckedSteps = 3;

using IdLists = std::vector<std::vector<int32_t>>;
using Texts = std::vector<std::string>;

std::string text_of(const Json& request, const char* key) { return json_get<std::string>(request, key, kRequest); }

/// object[key] of any type that the JSON library converts to.
template <class T>
T member(const Json& object, const char* key, const std::string& where) {
  try {
    return object.at(key).get<T>();
  } catch (const Json::exception& error) {
    throw UserError(where, std::string("key \"") + key + "\": " + error.what());
  }
}

template <class T>
T content(const Json& request, const char* key) {
  const std::string file = text_of(request, "work");
  return member<T>(read_json(file), key, file);
}

std::vector<infer::TokenSequence> token_sequences(const IdLists& lists) {
  std::vector<infer::TokenSequence> out;
  for (const auto& ids : lists) out.push_back({ids, std::vector<int32_t>(ids.size(), 0)});
  return out;
}

infer::Engine make_engine(const Json& request) {
  const nn::InferencePrecision precision = nn::inference_precision_named(text_of(request, "precision"));
  models::Model model =
      models::load_model(text_of(request, "model"), {.matrix_dtype = precision.dtype, .int8 = precision.int8});
  return {std::move(model), {.dtype = precision.dtype, .pooling = {.mean = true, .normalize = true}}};
}

class Inference final : public SessionWork {
 public:
  explicit Inference(const Json& request)
      : engine_(make_engine(request)), sequences_(token_sequences(content<IdLists>(request, "sequences"))) {}
  void run(size_t) override { vectors_ = engine_.run(sequences_, infer::Output::embedding); }
  Json answers() override { return {{"vectors", vectors_}}; }

 private:
  infer::Engine engine_;
  std::vector<infer::TokenSequence> sequences_;
  std::vector<std::vector<float>> vectors_;
};

class Embedding final : public SessionWork {
 public:
  explicit Embedding(const Json& request)
      : engine_(make_engine(request)),
        tokenizer_(Tokenizer::load(text_of(request, "model"))),
        texts_(content<Texts>(request, "texts")),
        options_{.max_length = json_get<int64_t>(request, "max_length", kRequest)} {}
  void run(size_t) override {
    std::vector<infer::TokenSequence> sequences;
    for (Encoding& encoding : tokenizer_.encode_batch(texts_, options_)) {
      sequences.push_back({std::move(encoding.ids), std::move(encoding.types)});
    }
    vectors_ = engine_.run(sequences, infer::Output::embedding);
  }
  Json answers() override { return {{"vectors", vectors_}}; }

 private:
  infer::Engine engine_;
  Tokenizer tokenizer_;
  Texts texts_;
  EncodeOptions options_;
  std::vector<std::vector<float>> vectors_;
};

class Tokenizing final : public SessionWork {
 public:
  explicit Tokenizing(const Json& request)
      : tokenizer_(Tokenizer::load(text_of(request, "model"))), texts_(content<Texts>(request, "texts")) {}
  void run(size_t) override { encodings_ = tokenizer_.encode_batch(texts_); }
  Json answers() override {
    Json ids = Json::array();
    for (const Encoding& encoding : encodings_) ids.push_back(encoding.ids);
    return {{"ids", ids}};
  }

 private:
  Tokenizer tokenizer_;
  Texts texts_;
  std::vector<Encoding> encodings_;
};

class Loading final : public SessionWork {
 public:
  explicit Loading(const Json& request)
      : request_(request), sequences_(token_sequences(content<IdLists>(request, "sequences"))) {}
  void run(size_t) override { vectors_ = make_engine(request_).run(sequences_, infer::Output::embedding); }
  Json answers() override { return {{"vectors", vectors_}}; }

 private:
  Json request_;
  std::vector<infer::TokenSequence> sequences_;
  std::vector<std::vector<float>> vectors_;
};

/// Pictures beside their classes.
Batch pictures_of(const Json& json) {
  const auto pictures = member<std::vector<std::vector<float>>>(json, "pictures", kRequest);
  const auto classes = member<std::vector<float>>(json, "labels", kRequest);
  if (pictures.size() != classes.size()) throw UserError(kRequest, "expected a label for each picture of a batch");
  std::vector<EncodedExample> examples(pictures.size());
  for (size_t b = 0; b < pictures.size(); ++b) {
    examples[b].features = pictures[b];
    examples[b].targets = {classes[b]};
  }
  return pack(examples);
}

Batch texts_of(const Json& json) {
  std::vector<EncodedExample> examples;
  for (const auto& ids : member<IdLists>(json, "sequences", kRequest)) {
    EncodedExample& example = examples.emplace_back();
    example.ids = ids;
    example.types.assign(ids.size(), 0);
  }
  return pack(examples);
}

Batch batch_of(const Json& json, models::Head head) {
  if (head == models::Head::image_classification) return pictures_of(json);
  if (head == models::Head::causal_lm) return texts_of(json);
  const bool masked_lm = head == models::Head::masked_lm;
  const auto sequences = member<IdLists>(json, "sequences", kRequest);
  const auto token_labels = masked_lm ? member<IdLists>(json, "labels", kRequest) : IdLists();
  const auto classes = masked_lm ? std::vector<float>() : member<std::vector<float>>(json, "labels", kRequest);
  if (token_labels.size() + classes.size() != sequences.size()) {
    throw UserError(kRequest, "expected labels for each sequence of a batch");
  }
  std::vector<EncodedExample> examples;
  for (size_t b = 0; b < sequences.size(); ++b) {
    EncodedExample example;
    example.ids = sequences[b];
    example.types.assign(example.ids.size(), 0);
    if (masked_lm) {
      example.labels = token_labels[b];
      if (example.labels.size() != example.ids.size()) throw UserError(kRequest, "expected one label for each token");
    } else {
      example.targets = {classes[b]};
    }
    examples.push_back(std::move(example));
  }
  return pack(examples);
}

std::unique_ptr<ImageClassification> image_task(const Json& request, const models::Model& model) {
  ImageProcessor processor;
  processor.height = processor.width = content<int64_t>(request, "size");
  return std::make_unique<ImageClassification>(model, processor, ImageClassificationOptions());
}

std::unique_ptr<Task> task_of(const Json& request, const TaskKind& kind, const models::Model& model) {
  if (kind.input == Input::image) return image_task(request, model);
  return make_task(kind, model, Tokenizer::load(text_of(request, "model")),
                   LabelTable::from_names(model.config().labels), {});
}

/// The first batch of pictures to logits.
class Classifying final : public SessionWork {
 public:
  explicit Classifying(const Json& request) {
    const DType dtype = nn::precision_named(text_of(request, "precision"));
    mode_ = {.training = false, .dtype = dtype};
    model_ = models::load_model(text_of(request, "model"), {.head = models::Head::image_classification});
    task_ = image_task(request, model_);
    batch_ = pictures_of(content<std::vector<Json>>(request, "batches").at(0));
  }
  void run(size_t) override {
    const NoGradient guard;
    logits_ = task_->logits(task_->inputs(batch_), mode_);
  }
  Json answers() override {
    const auto values = logits_.host<float>();
    const auto width = static_cast<size_t>(logits_.dim(1));
    std::vector<std::vector<float>> vectors;
    for (size_t at = 0; at < values.size(); at += width) {
      vectors.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(at),
                           values.begin() + static_cast<std::ptrdiff_t>(at + width));
    }
    return {{"vectors", vectors}};
  }

 private:
  models::Model model_;
  std::unique_ptr<ImageClassification> task_;
  Batch batch_;
  nn::Mode mode_;
  Tensor logits_;
};

/// What a training case needs, and one step of it as the trainer makes it.
class Training : public SessionWork {
 public:
  explicit Training(const Json& request) {
    const std::string folder = text_of(request, "model"), task = text_of(request, "task");
    const TaskKind kind = task_kind(task, "", read_json(folder + "/config.json"));
    model_ = models::load_model(folder, {.head = kind.head, .trainable = true});
    task_ = task_of(request, kind, model_);
    optimizer_ = optim::adamw(model_.parameters->all(), {});
    options_.dtype = nn::precision_named(text_of(request, "precision"));
    for (const Json& batch : content<std::vector<Json>>(request, "batches")) {
      batches_.push_back(batch_of(batch, kind.head));
    }
    if (batches_.empty()) throw UserError(kRequest, "expected at least one batch");
  }

 protected:
  double step(size_t turn, double learning_rate) {
    options_.learning_rate = learning_rate;
    const std::span<const Batch> all = batches_;
    const StepResult result = train_step(*task_, all.subspan(turn % all.size(), 1), model_, *optimizer_, options_);
    ++options_.first_micro_step;
    return result.loss;
  }

  models::Model model_;
  std::unique_ptr<Task> task_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  StepOptions options_;
  std::vector<Batch> batches_;
};

class Steps final : public Training {
 public:
  using Training::Training;
  void run(size_t turn) override { step(turn, 5e-5); }
  Json answers() override {
    std::vector<double> losses;
    for (int i = 0; i < kCheckedSteps; ++i) losses.push_back(step(0, 1e-5));
    return {{"numbers", losses}};
  }
};

class Optimizing final : public Training {
 public:
  explicit Optimizing(const Json& request) : Training(request) {
    const nn::Mode mode{.training = true, .dtype = options_.dtype};
    backward(task_->loss(task_->inputs(batches_[0]), mode, static_cast<double>(task_->items(batches_[0]))));
  }
  void run(size_t) override { optimizer_->step(5e-5, 1.0); }
  /// Norms of all weights after steps that are long enough to be seen.
  Json answers() override {
    std::vector<double> norms;
    for (int i = 0; i < kCheckedSteps; ++i) {
      optimizer_->step(1e-2, 1.0);
      double sum = 0;
      for (const nn::Parameter& parameter : model_.parameters->all()) {
        for (const float w : parameter.value.host<float>()) sum += static_cast<double>(w) * static_cast<double>(w);
      }
      norms.push_back(std::sqrt(sum));
    }
    return {{"numbers", norms}};
  }
};

}  // namespace

std::unique_ptr<SessionWork> open_work(const Json& request) {
  const std::string kind = text_of(request, "kind");
  if (kind == "infer") return std::make_unique<Inference>(request);
  if (kind == "embed") return std::make_unique<Embedding>(request);
  if (kind == "tokenize") return std::make_unique<Tokenizing>(request);
  if (kind == "load") return std::make_unique<Loading>(request);
  if (kind == "classify") return std::make_unique<Classifying>(request);
  if (kind == "pictures") return open_pictures(request);
  if (kind == "step") return std::make_unique<Steps>(request);
  if (kind == "optimizer") return std::make_unique<Optimizing>(request);
  throw UserError(
      kRequest, "expected a kind of work (infer, embed, tokenize, load, classify, pictures, step, optimizer), got \"" +
                    kind + "\"");
}

}  // namespace suanli::cli

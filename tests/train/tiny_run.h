/// A small BERT with dropout on made-up sentences: whole training runs in milliseconds.
#pragma once

#include <csignal>
#include <filesystem>
#include <functional>

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "base/file.h"
#include "device.h"
#include "ops/cast.h"
#include "ops/initialize.h"
#include "train/trainer.h"

namespace suanli {

inline Json tiny_config() {
  return {{"model_type", "bert"},
          {"vocab_size", 16},
          {"hidden_size", 8},
          {"num_hidden_layers", 2},
          {"num_attention_heads", 2},
          {"intermediate_size", 16},
          {"max_position_embeddings", 16},
          {"type_vocab_size", 2},
          {"hidden_act", "gelu"},
          {"hidden_dropout_prob", 0.1},
          {"attention_probs_dropout_prob", 0.1}};
}

inline Tokenizer tiny_tokenizer() {
  return Tokenizer::from_vocabulary("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n", "",
                                    "vocab.txt");
}

/// Sentences of 1 to 7 words; the label says whether the first word is one of a to e.
inline std::vector<Example> tiny_examples(int count, uint32_t site) {
  RandomGenerator random({7, 0, site});
  std::vector<Example> examples;
  for (int i = 0; i < count; ++i) {
    Example example;
    const auto words = 1 + random.below(7);
    for (uint64_t w = 0; w < words; ++w) {
      const auto letter = static_cast<char>('a' + random.below(11));
      if (w == 0) example.labels = {letter <= 'e' ? "early" : "late"};
      example.text += std::string(w == 0 ? "" : " ") + letter;
    }
    example.score = static_cast<double>(words);
    example.line = i + 1;
    examples.push_back(std::move(example));
  }
  return examples;
}

/// A task that does something to the loss of chosen calls: how tests inject a NaN or a signal.
class TaskWithHook final : public Task {
 public:
  using Hook = std::function<Tensor(int64_t call, Tensor loss)>;
  TaskWithHook(std::unique_ptr<Task> inner, Hook hook) : inner_(std::move(inner)), hook_(std::move(hook)) {}
  EncodedExample encode(const Example& e, const std::string& w) const override { return inner_->encode(e, w); }
  std::vector<EncodedExample> arrange(std::vector<EncodedExample> e) const override {
    return inner_->arrange(std::move(e));
  }
  EncodedExample draw(const EncodedExample& r, int64_t e) const override { return inner_->draw(r, e); }
  EncodedExample scored(const EncodedExample& r) const override { return inner_->scored(r); }
  int64_t items(const Batch& batch) const override { return inner_->items(batch); }
  LossInputs inputs(const Batch& batch) const override { return inner_->inputs(batch); }
  Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const override {
    const Tensor loss = inner_->loss(inputs, mode, normalizer);
    return hook_ ? hook_(calls_++, loss) : loss;
  }
  std::unique_ptr<Scorer> scorer(bool keep) const override { return inner_->scorer(keep); }

 private:
  std::unique_ptr<Task> inner_;
  Hook hook_;
  mutable int64_t calls_ = 0;
};

/// test_device() once its kernels are registered.
inline Device tiny_device() {
  initialize();
  return test_device();
}

/// One run in `folder` from arguments as on a command line.
struct TinyRun {
  TinyRun(const std::filesystem::path& folder, std::vector<std::string> words, TaskWithHook::Hook hook = {},
          const std::string& task_name = "text-classification", Device where = tiny_device())
      : tokenizer(tiny_tokenizer()), config(train_options()), device(where) {
    initialize();
    words.insert(words.begin(), {"train_file=made-up", "validation_file=made-up", "output_dir=" + folder.string(),
                                 "per_device_train_batch_size=4", "learning_rate=0.01", "disable_tqdm=true",
                                 "logging_steps=2", "save_strategy=no"});
    if (hook) words.emplace_back("cuda_graphs=false");  // the hook is called in each step
    config.read_arguments(words);
    arguments = train_arguments(config);
    if (arguments.precision == Precision::bf16) dtype = DType::bf16;
    const TaskKind kind = task_kind(task_name, "", Json::object());
    const LabelTable labels = LabelTable::from_names({"early", "late"});
    const bool classes = kind.labels == LabelKind::single;
    model =
        models::new_model(tiny_config(), {.head = kind.head,
                                          .labels = classes ? labels.names() : std::vector<std::string>{"LABEL_0"},
                                          .problem_type = kind.problem_type,
                                          .seed = 5,
                                          .trainable = true,
                                          .matrix_dtype = arguments.bf16_stochastic_round ? DType::bf16 : DType::f32,
                                          .device = device});
    task =
        std::make_unique<TaskWithHook>(make_task(kind, model, tokenizer, labels, {.max_length = 12}), std::move(hook));
    train_set = make_dataset(*task, {"made-up", tiny_examples(26, 1)}, -1);
    eval_set = make_dataset(*task, {"made-up", tiny_examples(10, 2)}, -1);
  }

  TrainResult train() {
    testing::internal::CaptureStdout();
    Trainer trainer({.arguments = &arguments,
                     .task = task.get(),
                     .files = {.model = &model, .write_others = [this](const auto& folder) { tokenizer.save(folder); }},
                     .train = &train_set,
                     .evaluation = &eval_set,
                     .penalty = penalty,
                     .dtype = dtype,
                     .device = device,
                     .configuration = config.to_json()});
    const TrainResult result = trainer.train();
    output = testing::internal::GetCapturedStdout();
    return result;
  }

  /// All weights, one after another.
  std::vector<float> weights() const {
    std::vector<float> all;
    for (const nn::Parameter& parameter : model.parameters->all()) {
      const Tensor host = ops::cast(detach(parameter.value), DType::f32).to({});
      const auto values = host.host<float>();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }

  Tokenizer tokenizer;
  Config config;
  TrainArguments arguments;
  Device device;
  DType dtype = DType::f32;  ///< of activations
  models::Model model;
  std::unique_ptr<TaskWithHook> task;
  Dataset train_set, eval_set;
  std::function<Tensor()> penalty;
  std::string output;
};

inline std::filesystem::path fresh_folder(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("suanli_train_" + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

}  // namespace suanli

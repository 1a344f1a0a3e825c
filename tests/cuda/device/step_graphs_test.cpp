// Training steps replayed as graphs: the bits of those that run kernel by kernel, in losses, weights and checkpoints.
#include <gtest/gtest.h>

#include "base/profile.h"
#include "optim/optimizer.h"
#include "stand_in.h"
#include "train/step_graphs.h"
#include "train/tiny_run.h"

namespace suanli {
namespace {

constexpr Device kCuda = {DeviceType::cuda, 0};

struct Case {
  const char *name, *task;
  DType dtype = DType::f32;
  bool early = false, recomputes = false, accumulates = false;
  double loss_scale = 1;
};

/// A model with dropout and two batches of different shape, whose contents change from step to step.
class Training {
 public:
  explicit Training(const Case& which, bool graphs) : case_(which), kind_(task_kind(which.task, "", Json::object())) {
    const std::vector<std::string> labels = {"early", "late"};
    model_ =
        models::new_model(tiny_config(), {.head = kind_.head,
                                          .labels = kind_.labels == LabelKind::none || kind_.labels == LabelKind::score
                                                        ? std::vector<std::string>{"one"}
                                                        : labels,
                                          .seed = 3,
                                          .trainable = true,
                                          .device = kCuda});
    model_.network->set_gradient_checkpointing(which.recomputes);
    task_ = make_task(kind_, model_, tiny_tokenizer(), LabelTable::from_names(labels), {.max_length = 12});
    optimizer_ = optim::adamw(model_.parameters->all(), {.weight_decay = 0.01});
    if (graphs) graphs_.emplace(model_);
  }

  StepResult step(uint32_t number) {
    const std::vector<Batch> batches = {batch(number % 2 == 0 ? 3 : 2, number), batch(2, number + 50)};
    const auto parts = static_cast<uint32_t>(case_.accumulates ? 2 : 1);
    return train_step(*task_, std::span(batches).first(parts), model_, *optimizer_,
                      {.learning_rate = 0.01 / (1 + number),
                       .max_grad_norm = 0.5,
                       .loss_scale = case_.loss_scale,
                       .dtype = case_.dtype,
                       .seed = 7,
                       .first_micro_step = parts * number},
                      graphs_ ? &*graphs_ : nullptr);
  }

  /// Sequences of 4, 5, ... tokens; every third token is masked or labelled where the task wants that.
  Batch batch(int sequences, uint32_t site) const {
    RandomGenerator random({5, 0, site});
    std::vector<EncodedExample> rows;
    for (int b = 0; b < sequences; ++b) {
      EncodedExample row;
      for (int t = 0; t < 4 + b; ++t) {
        row.ids.push_back(static_cast<int32_t>(5 + random.below(11)));
        row.types.push_back(t / 3);
        if (kind_.name == "masked-lm") row.labels.push_back(t % 3 == 1 ? static_cast<int32_t>(random.below(16)) : -100);
        if (kind_.name == "token-classification") row.labels.push_back(t % 3 == 1 ? t % 2 : -100);
        if (kind_.name == "sentence-similarity") row.labels.push_back(t < 2 ? 0 : 1);
      }
      if (kind_.labels == LabelKind::single) row.targets = {static_cast<float>(random.below(2))};
      if (kind_.labels == LabelKind::score) row.targets = {random.next_uniform()};
      row.row = b;
      rows.push_back(std::move(row));
    }
    return pack(rows);
  }

  /// The bytes of weights and moments.
  std::vector<std::string> state() const {
    std::vector<std::string> out;
    const auto add = [&](const Tensor& tensor) {
      const Tensor host = detach(tensor).to({});
      out.emplace_back(static_cast<const char*>(host.data()), static_cast<size_t>(host.bytes()));
    };
    for (const nn::Parameter& parameter : model_.parameters->all()) add(parameter.value);
    for (const auto& [name, tensor] : optimizer_->state()) add(tensor);
    return out;
  }

  size_t recorded() const { return graphs_->recorded(); }
  const models::Model& model() const { return model_; }

 private:
  Case case_;
  TaskKind kind_;
  models::Model model_;
  std::unique_ptr<Task> task_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::optional<StepGraphs> graphs_;
};

class StepGraphsTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override { initialize(); }
};

TEST_P(StepGraphsTest, ReplaysHaveTheBitsOfTheKernelsOneByOne) {
  const EarlyStreams streams(GetParam().early);
  Training plain(GetParam(), false), recorded(GetParam(), true);
  const uint64_t before = stand_in_graph_launches();
  double last = 0;
  for (uint32_t number = 0; number < 8; ++number) {
    const StepResult expected = plain.step(number), got = recorded.step(number);
    EXPECT_EQ(got.loss, expected.loss) << number;
    EXPECT_EQ(got.gradient_norm, expected.gradient_norm) << number;
    EXPECT_EQ(got.not_finite, "");
    EXPECT_NE(got.loss, last) << "a step like the one before proves nothing";
    last = got.loss;
  }
  EXPECT_TRUE(recorded.state() == plain.state());
  EXPECT_EQ(recorded.recorded(), 2U);
  EXPECT_EQ(stand_in_graph_launches() - before, 6U) << "each shape is recorded and replayed when it comes again";
}

INSTANTIATE_TEST_SUITE_P(
    , StepGraphsTest,
    testing::Values(Case{"Labels", "text-classification"},
                    Case{.name = "LabelsEarlyStreams", .task = "text-classification", .early = true},
                    Case{.name = "Recomputed", .task = "text-classification", .early = true, .recomputes = true},
                    Case{.name = "MaskedBf16", .task = "masked-lm", .dtype = DType::bf16, .early = true},
                    Case{.name = "TokensAccumulated", .task = "token-classification", .accumulates = true},
                    Case{.name = "SimilarityEarly", .task = "sentence-similarity", .early = true},
                    Case{.name = "ScaledF16", .task = "text-classification", .dtype = DType::f16, .loss_scale = 1024}),
    [](const auto& info) { return info.param.name; });

class StepGraph : public testing::Test {
 protected:
  void SetUp() override { initialize(); }
};

TEST_F(StepGraph, AnIdOutsideTheTableIsRefusedAlsoWhenItsShapeIsRecorded) {
  const Case labels = {"", "masked-lm"};
  Training training(labels, true);
  StepGraphs graphs(training.model());
  const auto inputs_with = [&](int32_t id, int32_t label) {
    Batch batch = training.batch(2, 1);
    batch.ids[3] = id;
    for (int32_t& each : batch.token_labels) {
      if (each != kIgnoredLabel) each = label;
    }
    const auto task = make_task(task_kind("masked-lm", "", Json::object()), training.model(), tiny_tokenizer(),
                                LabelTable::from_names({}), {.max_length = 12});
    StepInputs inputs = {
        .micro_batches = {task->inputs(batch)}, .numbers = Tensor::from(std::vector<int32_t>{0}, {1}), .items = 1};
    inputs.numbers.make_constant();
    return inputs;
  };
  const auto nothing = [](const StepInputs&, const uint32_t*) { return Tensor::zeros({1}, DType::f32, kCuda); };
  EXPECT_FALSE(graphs.run(inputs_with(5, 3), nothing)) << "seen once";
  EXPECT_TRUE(graphs.run(inputs_with(6, 4), nothing));
  EXPECT_FALSE(graphs.run(inputs_with(16, 4), nothing)) << "the ops of a step kernel by kernel refuse it";
  EXPECT_FALSE(graphs.run(inputs_with(6, 16), nothing));
  EXPECT_TRUE(graphs.run(inputs_with(15, 15), nothing));
}

TEST_F(StepGraph, WhatCannotBeRecordedRunsKernelByKernel) {
  Training training({"", "text-classification"}, true);
  StepGraphs graphs(training.model());
  StepInputs inputs = {.micro_batches = {}, .numbers = Tensor::from(std::vector<int32_t>{0}, {1}), .items = 1};
  inputs.numbers.make_constant();
  int calls = 0;
  const auto waits = [&](const StepInputs&, const uint32_t*) {
    ++calls;
    const Tensor zeros = Tensor::zeros({1}, DType::f32, kCuda);
    zeros.to({});
    return zeros;
  };
  for (int round = 0; round < 4; ++round) EXPECT_FALSE(graphs.run(inputs, waits));
  EXPECT_EQ(calls, 1) << "it is tried once";
}

TEST_F(StepGraph, AProfileShowsEachKernel) {
  Training training({"", "text-classification"}, true);
  start_profile();
  for (uint32_t number = 0; number < 4; ++number) training.step(number);
  stop_profile();
  EXPECT_EQ(training.recorded(), 0U);
}

TEST_F(StepGraph, ManyShapesKeepFewGraphs) {
  Training training({"", "text-classification"}, true);
  StepGraphs graphs(training.model());
  const auto zeros = [](const StepInputs&, const uint32_t*) { return Tensor::zeros({1}, DType::f32, kCuda); };
  const auto run = [&](int64_t items) {
    StepInputs inputs = {.micro_batches = {}, .numbers = Tensor::from(std::vector<int32_t>{0}, {1}), .items = items};
    inputs.numbers.make_constant();
    return graphs.run(inputs, zeros).has_value();
  };
  for (int64_t items = 0; items < 100; ++items) EXPECT_FALSE(run(items)) << items;
  for (int64_t items = 0; items < 100; ++items) {
    run(items);
    EXPECT_TRUE(run(items)) << items;
  }
  EXPECT_EQ(graphs.recorded(), StepGraphs::kMost);
}

// In data order each epoch has the batches of the one before, so that the third replays what the second recorded.
TEST_F(StepGraph, ARunAndOneThatResumesWithGraphsWriteTheCheckpointsOfOneWithout) {
  const std::vector<std::string> words = {"num_train_epochs=4",
                                          "train_sampling_strategy=sequential",
                                          "gradient_accumulation_steps=2",
                                          "save_strategy=steps",
                                          "save_steps=4",
                                          "lr_scheduler_type=cosine"};
  const auto train = [&](const std::string& name, const std::string& more) {
    const auto folder = fresh_folder(name);
    auto all = words;
    all.push_back(more);
    TinyRun run(folder, all, {}, "text-classification", kCuda);
    const uint64_t before = stand_in_graph_launches();
    const Json history = run.train().state.log_history;
    EXPECT_EQ(stand_in_graph_launches() > before, more != "cuda_graphs=false") << name;
    return std::pair(folder / "checkpoint-16", history);
  };
  const auto [plain, expected] = train("step_graphs_off", "cuda_graphs=false");
  const auto compare = [&](const std::pair<std::filesystem::path, Json>& run) {
    for (const char* file : {"model.safetensors", "optimizer.safetensors"}) {
      EXPECT_TRUE(read_file(run.first / file) == read_file(plain / file)) << file;
    }
    ASSERT_EQ(run.second.size(), expected.size());
    for (size_t i = 0; i + 1 < expected.size(); ++i) {
      EXPECT_EQ(run.second[i]["loss"], expected[i]["loss"]) << i;
      EXPECT_EQ(run.second[i]["grad_norm"], expected[i]["grad_norm"]) << i;
    }
  };
  compare(train("step_graphs_on", "cuda_graphs=true"));
  compare(train("step_graphs_resumed", "resume_from_checkpoint=" + (plain.parent_path() / "checkpoint-4").string()));
}

}  // namespace
}  // namespace suanli

// Inference replayed as graphs: the same numbers as kernel by kernel, whatever the batches, and few graphs.
#include <filesystem>

#include <gtest/gtest.h>

#include "base/random.h"
#include "infer/engine.h"
#include "ops/arithmetic.h"
#include "ops/initialize.h"
#include "stand_in.h"

namespace suanli {
namespace {

constexpr Device kCuda = {DeviceType::cuda, 0};

std::vector<infer::TokenSequence> sequences(int count, int longest, uint32_t site) {
  RandomGenerator random({9, 0, site});
  std::vector<infer::TokenSequence> out(static_cast<size_t>(count));
  for (auto& [ids, types] : out) {
    ids.resize(1 + random.below(static_cast<uint64_t>(longest)));
    for (int32_t& id : ids) id = static_cast<int32_t>(random.below(100));
    types.assign(ids.size(), 0);
  }
  return out;
}

struct Case {
  const char *name, *family, *task;
  models::Head head;
  infer::Output output;
  DType dtype;
  bool int8, early;
};

class Graphs : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override { initialize(); }
  infer::Engine engine(bool graphs) const {
    const auto folder = std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models" / GetParam().family / GetParam().task;
    return {models::load_model(
                folder,
                {.head = GetParam().head, .matrix_dtype = GetParam().dtype, .int8 = GetParam().int8, .device = kCuda}),
            {.dtype = GetParam().dtype,
             .tokens_per_batch = 48,
             .pooling = {.mean = true, .normalize = true},
             .cuda_graphs = graphs}};
  }
};

TEST_P(Graphs, ReplaysEqualTheKernelsOneByOne) {
  const EarlyStreams streams(GetParam().early);
  const infer::Engine plain = engine(false), recorded = engine(true);
  for (uint32_t round = 0; round < 4; ++round) {
    for (const int count : {1, 5}) {
      const auto texts = sequences(count, 12, 10 * round + static_cast<uint32_t>(count));
      const auto expected = plain.run(texts, GetParam().output);
      const auto got = recorded.run(texts, GetParam().output);
      ASSERT_EQ(got, expected) << "round " << round << ", " << count << " sequences";
    }
  }
  EXPECT_GE(recorded.graphs(), 1U) << "nothing was recorded";
}

INSTANTIATE_TEST_SUITE_P(
    , Graphs,
    testing::Values(Case{"Labels", "bert", "text-classification", models::Head::sequence_classification,
                         infer::Output::sequence_logits, DType::f32, false, false},
                    Case{"LabelsEarlyStreams", "roberta", "text-classification", models::Head::sequence_classification,
                         infer::Output::sequence_logits, DType::f32, false, true},
                    Case{"Tokens", "distilbert", "token-classification", models::Head::token_classification,
                         infer::Output::token_logits, DType::f32, false, true},
                    Case{"Embeddings", "bert", "text-classification", models::Head::none, infer::Output::embedding,
                         DType::bf16, false, false},
                    Case{"Int8", "bert", "text-classification", models::Head::none, infer::Output::embedding,
                         DType::f32, true, true}),
    [](const auto& info) { return info.param.name; });

class Graph : public testing::Test {
 protected:
  void SetUp() override { initialize(); }
  Tensor one_ = Tensor::from(std::vector<float>{1, 2, 3}, {3});
};

TEST_F(Graph, ReplaysReadWhatTheirInputsHoldThen) {
  const Tensor input = one_.to(kCuda);
  Tensor output;
  const auto graph = backend(kCuda).capture([&] { output = ops::add(ops::add(input, input), input); });
  for (const float factor : {1.0F, 5.0F}) {
    input.copy_from(Tensor::from(std::vector<float>{factor, factor, factor}, {3}));
    graph->replay();
    EXPECT_EQ(output.to({}).host<float>()[1], 3 * factor);
  }
}

// The sum in between is free again after the recording; other work must not be given its block.
TEST_F(Graph, ItsMemoryIsGivenToNobodyElse) {
  const Tensor input = one_.to(kCuda), tens = Tensor::from(std::vector<float>{10, 20, 30}, {3}).to(kCuda);
  Tensor output;
  const auto graph = backend(kCuda).capture([&] { output = ops::add(ops::add(input, input), input); });
  std::vector<Tensor> others;
  for (int k = 0; k < 4; ++k) others.push_back(ops::add(tens, tens));
  backend(kCuda).trim();
  graph->replay();
  for (const Tensor& other : others) EXPECT_EQ(other.to({}).host<float>()[2], 60);
  EXPECT_EQ(output.to({}).host<float>()[2], 9);
}

TEST_F(Graph, WhatCannotBeRecordedSaysSoAndLeavesTheDeviceAsItWas) {
  const Tensor input = one_.to(kCuda);
  const auto refused = [&](const std::function<void()>& work, const char* why) {
    try {
      backend(kCuda).capture(work);
      ADD_FAILURE() << why;
    } catch (const EnvironmentError& error) {
      EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
    }
    EXPECT_EQ(ops::add(input, input).to({}).host<float>()[2], 6);
  };
  refused([&] { ops::add(input, input).to({}); }, "a result that goes to the host");
  refused([&] { one_.to(kCuda); }, "a copy from the host");
  refused([&] { backend(kCuda).synchronize(backend(kCuda).default_stream()); }, "a wait for the device");
}

TEST_F(Graph, ManySizesKeepFewGraphs) {
  infer::BucketGraphs graphs(kCuda, 1024,
                             [](const models::PackedSequences&) { return Tensor::zeros({1}, DType::f32, kCuda); });
  for (int round = 0; round < 2; ++round) {
    for (int64_t length = 16; length <= 1024; length += 8) {
      infer::HostBatch batch;
      const std::vector<int32_t> zeros(static_cast<size_t>(length));
      batch.add(zeros, zeros);
      graphs.run(batch);
    }
  }
  EXPECT_LE(graphs.size(), infer::BucketGraphs::kMost);
}

}  // namespace
}  // namespace suanli

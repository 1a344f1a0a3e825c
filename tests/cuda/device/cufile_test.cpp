// Weights that come straight from storage: the bits of the pinned path, in the order of the work, and never a wrong
// tensor where cuFile refuses.
#include <cstring>

#include <gtest/gtest.h>

#include "base/random.h"
#include "e2e/program.h"
#include "formats/safetensors.h"
#include "models/load.h"
#include "ops/arithmetic.h"
#include "ops/initialize.h"
#include "stand_in.h"
#include "train/tiny_run.h"

extern "C" {
void stand_in_cufile_refuse(const char* what);
uint64_t stand_in_cufile_reads();
uint64_t stand_in_cufile_breaches();
uint64_t stand_in_cufile_open_files();
}

namespace suanli {
namespace {

constexpr Device kCuda = {DeviceType::cuda, 0};

/// cuFile refuses `what` until the end of the scope.
class Refusal {
 public:
  explicit Refusal(const char* what) { stand_in_cufile_refuse(what); }
  ~Refusal() { stand_in_cufile_refuse(""); }
  Refusal(const Refusal&) = delete;
  Refusal& operator=(const Refusal&) = delete;
};

Tensor random_tensor(Shape shape, uint32_t site) {
  RandomGenerator random({5, 0, site});
  Tensor out = Tensor::empty(shape, DType::f32);
  for (float& value : out.host<float>()) value = static_cast<float>(random.next_uniform());
  return out;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to({}), y = b.to({});
  return x.shape() == y.shape() && std::memcmp(x.data(), y.data(), static_cast<size_t>(x.bytes())) == 0;
}

/// Reads of cuFile while it lives.
class Reads {
 public:
  uint64_t count() const { return stand_in_cufile_reads() - before_; }

 private:
  uint64_t before_ = stand_in_cufile_reads();
};

class DirectStorage : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { initialize(); }
  void TearDown() override {
    EXPECT_EQ(stand_in_cufile_breaches(), 0U) << "the library was used against its rules";
    EXPECT_EQ(stand_in_cufile_open_files(), 0U) << "handles are left";
  }

  /// A file whose tensors begin at any multiple of 4 bytes; `wide` is larger than the chunk that is read at once.
  static SafetensorsFile tensors() {
    const auto file = e2e::scratch("direct") / "tensors.safetensors";
    write_safetensors(file, std::vector<NamedTensor>{{"a", random_tensor({257}, 1)},
                                                     {"matrix", random_tensor({129, 513}, 2)},
                                                     {"small", random_tensor({3}, 3)},
                                                     {"wide", random_tensor({4099, 1033}, 4)}});
    return SafetensorsFile::open(file);
  }

  EarlyStreams streams_{GetParam()};
};

TEST_P(DirectStorage, TensorsOfAFileHaveItsBits) {
  const SafetensorsFile file = tensors();
  const Reads reads;
  std::vector<Tensor> there;
  for (const char* name : {"a", "matrix", "small", "wide"}) there.push_back(file.tensor(name).to(kCuda));
  EXPECT_EQ(reads.count(), 3U) << "one of the matrix, two of what is larger than a chunk, none of what is small";
  for (const char* name : {"wide", "small", "matrix", "a"}) {
    EXPECT_TRUE(same_bits(there.back(), file.tensor(name))) << name;
    there.pop_back();
  }
  const Tensor rows = file.tensor("wide").rows(7, 93);
  EXPECT_TRUE(same_bits(rows.to(kCuda), rows)) << "a view begins within a page";
}

TEST_P(DirectStorage, MemoryThatIsReadIsNotWrittenBefore) {
  const SafetensorsFile file = tensors();
  const Tensor first = random_tensor({129, 513}, 9), used = first.to(kCuda);
  const Reads reads;
  const Fetch before(ops::add(used, used));
  used.copy_from(file.tensor("matrix"));
  const Fetch after(ops::add(used, used));
  EXPECT_EQ(reads.count(), 1U);
  EXPECT_TRUE(same_bits(before.wait(), ops::add(first, first)));
  EXPECT_TRUE(same_bits(after.wait(), ops::add(file.tensor("matrix"), file.tensor("matrix"))));
}

// What replaces a file does not reach those who have mapped it.
TEST_P(DirectStorage, AReplacedFileIsReadAsItWasMapped) {
  const SafetensorsFile file = tensors();
  const Tensor expected = file.tensor("matrix").clone();
  write_safetensors(e2e::scratch("direct") / "tensors.safetensors",
                    std::vector<NamedTensor>{{"matrix", random_tensor({129, 513}, 8)}});
  const Reads reads;
  EXPECT_TRUE(same_bits(file.tensor("matrix").to(kCuda), expected));
  EXPECT_EQ(reads.count(), 1U);
}

TEST_P(DirectStorage, WhatIsRefusedComesThroughPinnedMemoryAndTheLogSaysWhy) {
  const SafetensorsFile file = tensors();
  setenv("SUANLI_LOG", "kernels", 1);
  for (const auto& [what, why] : {std::pair{"file", "cuFile does not take the file: error 5008"},
                                  {"read", "the system cannot read the file"},
                                  {"short", "the file ends at byte "}}) {
    const Refusal refusal(what);
    testing::internal::CaptureStderr();
    const Tensor there = file.tensor("wide").to(kCuda);
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_NE(log.find(std::string("through pinned memory (") + why), std::string::npos) << log;
    EXPECT_TRUE(same_bits(there, file.tensor("wide"))) << what;
  }
  unsetenv("SUANLI_LOG");
}

TEST_P(DirectStorage, AModelHasTheBitsOfThePinnedPath) {
  const auto folder = e2e::scratch("direct_model");
  Json config = tiny_config();
  config["vocab_size"] = 700;
  config["hidden_size"] = 128;
  config["intermediate_size"] = 256;
  save_model(models::new_model(config, {.seed = 3}), folder);
  for (const bool trainable : {false, true}) {
    const models::ModelOptions options = {.trainable = trainable, .device = kCuda};
    const Reads reads;
    const models::Model direct = models::load_model(folder, options);
    EXPECT_GE(reads.count(), 3U);
    const Refusal refusal("file");
    const models::Model pinned = models::load_model(folder, options);
    const auto ours = models::hugging_face_tensors(direct), theirs = models::hugging_face_tensors(pinned);
    ASSERT_EQ(ours.size(), theirs.size());
    for (size_t i = 0; i < ours.size(); ++i) {
      EXPECT_TRUE(same_bits(ours[i].tensor, theirs[i].tensor)) << ours[i].name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, DirectStorage, testing::Bool(),
                         [](const auto& info) { return info.param ? "AsEarlyAsCanBe" : "AsLateAsCanBe"; });

}  // namespace
}  // namespace suanli

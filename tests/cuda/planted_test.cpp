/// Bugs planted into the product's own flash attention: each is found, or shows in the numbers, and the kernel as it is
/// passes.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/attention.h"
#include "probe.h"
#include "ptx/float_format.h"

namespace {

using probe::Device;

constexpr int kHeads = 2, kHeadSize = 32, kWidth = kHeads * kHeadSize, kStride = 3 * kWidth;
const std::vector<int> kOffsets = {0, 70, 100};  // more keys than a tile of 64 has, and fewer

class PlantedAttention : public testing::Test {
 protected:
  void SetUp() override {
    for (size_t k = 0; k < numbers.size(); ++k) {
      const float value = static_cast<float>(k * 37 % 101) / 50 - 1;
      bits[k] = ptx::narrow<ptx::BFloat>(value).bits;
      numbers[k] = static_cast<float>(ptx::wide(ptx::BFloat{bits[k]}));
    }
  }

  /// What the checks find; the result is in `out`.
  std::string finding(const std::string& plant) {
    Device device(probe::ptx_text("planted_" + plant));
    const uint64_t qkv = device.put(bits), result = device.memory.allocate(out.size() * 2);
    const auto pointer = [](uint64_t address) { return reinterpret_cast<void*>(address); };
    const suanli::kernels::AttentionForward args = {
        .q = pointer(qkv),
        .k = pointer(qkv + kWidth * 2),
        .v = pointer(qkv + kWidth * 4),
        .offsets = static_cast<const int32_t*>(pointer(device.put(kOffsets))),
        .out = pointer(result),
        .lse = nullptr,
        .tokens = kOffsets.back(),
        .sequences = 2,
        .longest = 70,
        .heads = kHeads,
        .head_size = kHeadSize,
        .stride = kStride,
        .scale = 1,
        .dropout = {},
        .dtype = suanli::DType::bf16,
    };
    const std::string text =
        device.finding("flash_forward_32_bf16", {2, kHeads, 2}, {128}, (64 + 2 * 64) * kHeadSize * 2, args);
    if (text.empty()) {
      const auto got = device.get<uint16_t>(result, out.size());
      for (size_t k = 0; k < out.size(); ++k) out[k] = static_cast<float>(ptx::wide(ptx::BFloat{got[k]}));
    }
    return text;
  }

  /// Largest difference between `out` and plain loops over the definition.
  double error() const {
    double largest = 0;
    for (size_t b = 0; b + 1 < kOffsets.size(); ++b) {
      for (int i = kOffsets[b]; i < kOffsets[b + 1]; ++i) {
        for (int head = 0; head < kHeads; ++head) {
          double total = 0, sums[kHeadSize] = {};
          for (int j = kOffsets[b]; j < kOffsets[b + 1]; ++j) {
            double score = 0;
            for (int d = 0; d < kHeadSize; ++d) score += at(i, head, 0, d) * at(j, head, 1, d);
            total += std::exp(score);
            for (int d = 0; d < kHeadSize; ++d) sums[d] += std::exp(score) * at(j, head, 2, d);
          }
          for (int d = 0; d < kHeadSize; ++d)
            largest = std::max(largest, std::abs(sums[d] / total - out[i * kWidth + head * kHeadSize + d]));
        }
      }
    }
    return largest;
  }

 private:
  double at(int row, int head, int part, int d) const {
    return numbers[row * kStride + part * kWidth + head * kHeadSize + d];
  }
  std::vector<float> numbers = std::vector<float>(kOffsets.back() * kStride);
  std::vector<uint16_t> bits = std::vector<uint16_t>(numbers.size());
  std::vector<float> out = std::vector<float>(kOffsets.back() * kWidth);
};

void expect_found(const std::string& finding, const char* what) {
  EXPECT_NE(finding.find("flash_forward_32_bf16"), std::string::npos) << finding;
  EXPECT_NE(finding.find(what), std::string::npos) << finding;
}

// Weights and result are rounded to 8 bits, values lie within 1: 2^-8 each.
constexpr double kTolerance = 0x1p-7;

TEST_F(PlantedAttention, AsItIsItPasses) {
  EXPECT_EQ(finding("nothing"), "");
  EXPECT_LT(error(), kTolerance);
}
TEST_F(PlantedAttention, WithoutItsBarriersARaceIsFound) { expect_found(finding("barrier"), "race: "); }
TEST_F(PlantedAttention, WithoutItsWaitsTheReadIsFound) {
  expect_found(finding("wait"), "that a cp.async may still be writing: no wait since");
}
TEST_F(PlantedAttention, OneRowTooManyIsFound) { expect_found(finding("tail"), "after an allocation of"); }
TEST_F(PlantedAttention, FragmentsOfAnotherLaneGiveOtherNumbers) {
  finding("lane");
  EXPECT_GT(error(), 2 * kTolerance);
}

}  // namespace

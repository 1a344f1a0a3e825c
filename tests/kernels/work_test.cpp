/// What a call says that it does: the operations and bytes of its formula, whatever the implementation.
#include <gtest/gtest.h>

#include "kernels/attention.h"
#include "kernels/embedding.h"
#include "kernels/layer_norm.h"
#include "kernels/matmul.h"
#include "kernels/optimizer.h"

namespace suanli::kernels {
namespace {

TEST(Work, OfAProductIsAMultiplyAndAnAddForEachTripleOfIndices) {
  const int64_t M = 3, N = 5, K = 7;
  double operations = 0;
  for (int64_t m = 0; m < M; ++m) {
    for (int64_t n = 0; n < N; ++n) {
      for (int64_t k = 0; k < K; ++k) operations += 2;
    }
  }
  Matmul args = {.m = M, .n = N, .k = K, .transpose_b = true, .dtype = DType::bf16, .c_dtype = DType::f32};
  Work work = work_of(args);
  EXPECT_EQ(work.flops, operations);
  EXPECT_EQ(work.bytes, 2 * (M * K + K * N) + 4 * M * N);
  EXPECT_EQ(work.shape, "M=3 N=5 K=7 B^T");
  EXPECT_STREQ(work.dtype, "bf16");
  args.accumulate = true;
  EXPECT_EQ(work_of(args).bytes, work.bytes + 4 * M * N) << "C is read, too";
}

TEST(Work, OfAttentionCountsThePairsWithinEachSequence) {
  const int32_t offsets[] = {0, 3, 3, 10};
  const AttentionForward forward = {
      .offsets = offsets, .tokens = 10, .sequences = 3, .longest = 7, .heads = 2, .head_size = 4, .dtype = DType::f32};
  const double pairs = 3 * 3 + 7 * 7;
  EXPECT_EQ(work_of(forward).flops, 2 * 2 * pairs * 8) << "q k and p v";
  EXPECT_EQ(work_of(forward).bytes, 4 * 10 * 8 * 4);
  const AttentionBackward backward = {
      .offsets = offsets, .tokens = 10, .sequences = 3, .longest = 7, .heads = 2, .head_size = 4, .dtype = DType::f32};
  EXPECT_EQ(work_of(backward).flops, 5 * 2 * pairs * 8) << "q k again, dp, dv, dq, dk";
}

TEST(Work, OfALayerNormCountsTheArraysThatAreThere) {
  float x = 0;
  LayerNormForward args = {.x = &x, .y = &x, .rows = 6, .width = 5, .dtype = DType::f32};
  EXPECT_EQ(work_of(args).bytes, 2 * 4 * 30);
  args.residual = args.sum = &x;
  EXPECT_EQ(work_of(args).bytes, 4 * 4 * 30);
}

TEST(Work, OfAnEmbeddingsGradientIsTheWholeTable) {
  const EmbeddingBackward args = {.rows = 2, .vocab = 100, .width = 3, .table_dtype = DType::f32, .dtype = DType::bf16};
  EXPECT_EQ(work_of(args).bytes, 2 * 2 * 3 + 4 * 100 * 3);
}

TEST(Work, OfAnEmptyCallIsNothing) {
  EXPECT_EQ(work_of(Matmul{.dtype = DType::f32, .c_dtype = DType::f32}).flops, 0);
  EXPECT_EQ(work_of(SumOfSquares{.dtype = DType::f32}).bytes, 0);
}

TEST(Work, EveryCallOfTheRegistryIsASliceWithTheImplementationThatRan) {
  float a[6] = {1, 2, 3, 4, 5, 6}, c[4] = {};
  const Matmul args = {.a = a,
                       .b = a,
                       .c = c,
                       .m = 2,
                       .n = 2,
                       .k = 3,
                       .dtype = DType::f32,
                       .c_dtype = DType::f32,
                       .bias_dtype = DType::f32};
  Stream stream;
  matmul(args, stream);
  start_profile();
  matmul(args, stream);
  const Implementation<Matmul>* reference = matmul.find("ref");
  ASSERT_NE(reference, nullptr);
  matmul.run(*reference, args, stream);
  const Profile profile = stop_profile();
  ASSERT_EQ(profile.events.size(), 2U);
  EXPECT_STREQ(profile.events[0].name, "matmul");
  EXPECT_STREQ(profile.events[0].implementation, matmul.choose(args, Device{}).name);
  EXPECT_STREQ(profile.events[1].implementation, "ref");
  EXPECT_EQ(profile.events[0].work.flops, 24);
}

}  // namespace
}  // namespace suanli::kernels

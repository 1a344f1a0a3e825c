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
  Matmul args{};
  args.m = M, args.n = N, args.k = K;
  args.transpose_b = true;
  args.dtype = DType::bf16, args.c_dtype = DType::f32;
  const Work work = work_of(args);
  EXPECT_EQ(work.flops, operations);
  EXPECT_EQ(work.bytes, 2 * (M * K + K * N) + 4 * M * N);
  EXPECT_EQ(work.shape, "M=3 N=5 K=7 B^T");
  EXPECT_STREQ(work.dtype, "bf16");
  args.accumulate = true;
  EXPECT_EQ(work_of(args).bytes, work.bytes + 4 * M * N) << "C is read, too";
  float slope = 0;
  args.epilogue.slope = &slope;
  EXPECT_EQ(work_of(args).bytes, work.bytes + 2 * 4 * M * N) << "the slope has the size of C";
}

TEST(Work, OfAttentionCountsThePairsWithinEachSequence) {
  const int32_t offsets[] = {0, 3, 3, 10};
  const double pairs = 3 * 3 + 7 * 7;
  const auto call = [&]<class Args>(Args args) {
    args.offsets = offsets;
    args.tokens = 10, args.sequences = 3, args.longest = 7;
    args.heads = 2, args.head_size = 4;
    args.dtype = DType::f32;
    return work_of(args);
  };
  EXPECT_EQ(call(AttentionForward{}).flops, 2 * 2 * pairs * 8) << "q k and p v";
  EXPECT_EQ(call(AttentionForward{}).bytes, 4 * 10 * 8 * 4);
  EXPECT_EQ(call(AttentionBackward{}).flops, 5 * 2 * pairs * 8) << "q k again, dp, dv, dq, dk";
  const double causal_pairs = (1 + 2 + 3) + (1 + 2 + 3 + 4 + 5 + 6 + 7);
  AttentionForward forward{};
  AttentionBackward backward{};
  forward.causal = backward.causal = true;
  EXPECT_EQ(call(forward).flops, 2 * 2 * causal_pairs * 8) << "each query with its own key and those before";
  EXPECT_EQ(call(backward).flops, 5 * 2 * causal_pairs * 8);
}

TEST(Work, OfALayerNormCountsTheArraysThatAreThere) {
  float x = 0;
  LayerNormForward args{};
  args.x = &x, args.y = &x;
  args.rows = 6, args.width = 5;
  EXPECT_EQ(work_of(args).bytes, 2 * 4 * 30);
  args.residual = &x, args.sum = &x;
  EXPECT_EQ(work_of(args).bytes, 4 * 4 * 30);
}

TEST(Work, OfAnEmbeddingsGradientIsTheWholeTable) {
  EmbeddingBackward args{};
  args.rows = 2, args.vocab = 100, args.width = 3;
  args.table_dtype = DType::f32, args.dtype = DType::bf16;
  EXPECT_EQ(work_of(args).bytes, 2 * 2 * 3 + 4 * 100 * 3);
}

TEST(Work, OfAnEmptyCallIsNothing) {
  EXPECT_EQ(work_of(Matmul{}).flops, 0);
  EXPECT_EQ(work_of(SumsOfSquares{}).bytes, 0);
}

TEST(Work, EveryCallOfTheRegistryIsASliceWithTheImplementationThatRan) {
  float a[6] = {1, 2, 3, 4, 5, 6}, c[4] = {};
  Matmul args{};
  args.a = args.b = a, args.c = c;
  args.m = args.n = 2, args.k = 3;
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

/// How well the nearest texts are the right ones: scores of retrieval from the embeddings of queries and documents.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/metrics.h"

namespace suanli {

/// The rank of the right document of each query, from 1: one more than there are documents of higher cosine; of equal
/// ones half are taken to stand before it, rounded down. queries [Q,H], documents [N,H] of length 1, row-major; the
/// document of query q is right[q].
std::vector<int64_t> ranks_of(std::span<const float> queries, std::span<const float> documents, int64_t width,
                              std::span<const int64_t> right);

/// recall@1, recall@5, recall@10 (share of queries whose document is among the first k), mrr@10 (mean of 1/rank, 0
/// beyond 10) and ndcg@10 (mean of 1/log2(rank + 1), 0 beyond 10): InformationRetrievalEvaluator of
/// sentence-transformers where each query has one right document.
Scores retrieval_scores(std::span<const int64_t> ranks);

}  // namespace suanli

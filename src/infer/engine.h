/// Batched inference over token ids: packs sequences of similar length, runs the model, gives results back in order.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "infer/graphs.h"
#include "models/load.h"

namespace suanli::infer {

struct TokenSequence {
  std::vector<int32_t> ids, types;
};

/// From tokens to one vector a sentence, as sentence transformers do.
struct Pooling {
  bool mean = true;  ///< mean over tokens; false: the first token
  bool normalize = false;
};

enum class Output {
  sequence_logits,   ///< per sequence [labels]
  token_logits,      ///< per sequence [tokens * labels], row-major
  span_logits,       ///< per sequence [tokens * 2], row-major
  embedding,         ///< per sequence [H]
  token_embeddings,  ///< per sequence [tokens * H], not normalised
  masked_lm,         ///< per sequence [masks * V], one row per token equal to mask_id
};

struct EngineOptions {
  DType dtype = DType::f32;
  int64_t tokens_per_batch = 4096;  ///< a batch holds at most this many tokens, or one sequence
  Pooling pooling = {};
  int32_t mask_id = -1;
  bool cuda_graphs = true;  ///< on CUDA: batches of sizes seen before are filled up and replayed as graphs (graphs.h)
};

/// Thread compatible: one call at a time.
class Engine {
 public:
  Engine(models::Model model, const EngineOptions& options);
  const models::Model& model() const;
  /// How many sizes of batches are recorded.
  size_t graphs() const;
  /// One result for each sequence, in their order. An empty sequence is a UserError.
  std::vector<std::vector<float>> run(std::span<const TokenSequence> sequences, Output output) const;

 private:
  /// On the model's device, in f32: the rows of the batch, perhaps with others behind.
  Tensor compute(const HostBatch& batch, Output output) const;
  /// True where a graph may answer; false also where kernels would refuse the batch, so that they say why.
  bool may_replay(const HostBatch& batch, Output output) const;

  struct State;  // stays where it is when the engine moves: graphs refer to it
  std::shared_ptr<State> state_;
};

/// The order in which `lengths` are run: indices sorted by length (longest first), cut into groups of at most
/// `tokens_per_batch` tokens, or of one sequence.
std::vector<std::vector<size_t>> plan_batches(std::span<const int64_t> lengths, int64_t tokens_per_batch);

}  // namespace suanli::infer

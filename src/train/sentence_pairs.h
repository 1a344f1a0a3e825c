/// Pairs of texts for tasks that compare their embeddings; internal to train/.
#pragma once

#include <string>

#include "train/task_parts.h"

namespace suanli {

/// Both texts of a pair as one sequence; `labels` says which of them, 0 or 1, a token belongs to. Throws UserError at
/// `where` for an example of one text.
EncodedExample encode_pair(const TaskParts& parts, const Example& example, const std::string& where);

/// The texts of the pairs as sequences of their own: first of pair b is sequence 2b, second 2b + 1. `rows` names all
/// first ones, then all second ones.
LossInputs pair_inputs(const Batch& batch);

/// The embeddings of all texts as sentence transformers make them, of length 1: [2B,H] f32, in the order of the
/// sequences.
Tensor unit_embeddings(const TaskParts& parts, const LossInputs& inputs, const nn::Mode& mode);

/// Those of the first texts, [B,H], and of the second ones.
struct PairEmbeddings {
  Tensor first, second;
};
PairEmbeddings pair_embeddings(const TaskParts& parts, const LossInputs& inputs, const nn::Mode& mode);

}  // namespace suanli

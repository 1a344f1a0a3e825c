/// Pairs and triplets of texts for tasks that compare their embeddings; internal to train/.
#pragma once

#include <string>

#include "train/task_parts.h"

namespace suanli {

/// Both texts of a pair as one sequence; `labels` says which of them, 0 or 1, a token belongs to. Throws UserError at
/// `where` for an example of one text.
EncodedExample encode_pair(const TaskParts& parts, const Example& example, const std::string& where);

/// The same with `negative` behind, as text 2. Throws UserError where it is empty, too.
EncodedExample encode_triplet(const TaskParts& parts, const Example& example, const std::string& where);

/// The texts of each row, `texts` of them, as sequences of their own: text i of row b is sequence texts b + i. `rows`
/// names all first ones, then all second ones, ...
LossInputs text_inputs(const Batch& batch, int32_t texts);

/// The embeddings of all texts as sentence transformers make them, of length 1: [texts B, H] f32, in the order of the
/// sequences.
Tensor unit_embeddings(const TaskParts& parts, const LossInputs& inputs, const nn::Mode& mode);

/// Those of text `i` of `texts`, [B,H], among all.
Tensor embeddings_of_text(const Tensor& all, const LossInputs& inputs, int64_t i, int64_t texts);

/// Those of the first texts, [B,H], and of the second ones.
struct PairEmbeddings {
  Tensor first, second;
};
PairEmbeddings pair_embeddings(const TaskParts& parts, const LossInputs& inputs, const nn::Mode& mode);

}  // namespace suanli

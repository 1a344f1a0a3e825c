/// What a network can be asked for, whatever its family.
#pragma once

#include "models/detection.h"
#include "models/sequences.h"
#include "models/token_cache.h"
#include "models/vocabulary_head.h"
#include "nn/mode.h"

namespace suanli::models {

/// A family overrides what its networks compute with their head; each of the others throws UserError that says which
/// kind of model is wanted.
class Network {
 public:
  virtual ~Network() = default;
  /// The last hidden states [T,H] in mode.dtype.
  virtual Tensor hidden_states(const PackedSequences& sequences, const nn::Mode& mode) const;
  /// rows [M] i32: the packed places of the masked tokens.
  virtual VocabularyHead masked_lm_head(const PackedSequences& sequences, const Tensor& rows,
                                        const nn::Mode& mode) const;
  Tensor masked_lm_logits(const PackedSequences& sequences, const Tensor& rows, const nn::Mode& mode) const {
    return masked_lm_head(sequences, rows, mode).logits();
  }
  /// logits [B, labels] f32.
  virtual Tensor sequence_logits(const PackedSequences& sequences, const nn::Mode& mode) const;
  /// The embeddings [T,H] f32 of the tokens themselves, without positions and types.
  virtual Tensor word_vectors(const PackedSequences& sequences) const;
  /// sequence_logits() where the tokens have these embeddings in place of their own; differentiable by them.
  virtual Tensor sequence_logits_of(const Tensor& word_vectors, const PackedSequences& sequences,
                                    const nn::Mode& mode) const;
  /// logits [T, labels] f32.
  virtual Tensor token_logits(const PackedSequences& sequences, const nn::Mode& mode) const;
  /// logits [T, 2] f32: whether an answer starts at a token, and whether one ends there.
  virtual Tensor span_logits(const PackedSequences& sequences, const nn::Mode& mode) const;
  /// pixels f32 [B,height,width,channels] -> logits [B, labels] f32.
  virtual Tensor image_logits(const Tensor& pixels, const nn::Mode& mode) const;
  /// pixels f32 [B,height,width,channels] -> logits [B,height,width,labels] f32.
  virtual Tensor pixel_logits(const Tensor& pixels, const nn::Mode& mode) const;
  /// The losses of the objects in pixels f32 [B,height,width,channels].
  virtual DetectionLosses detection_losses(const Tensor& pixels, const DetectionTargets& targets,
                                           const nn::Mode& mode) const;
  /// What each of the pictures shows, best score first.
  virtual std::vector<std::vector<Detection>> detect(const Tensor& pixels, const nn::Mode& mode) const;
  /// pixels f32 [B,height,width,channels] in 0..1, which the network may want enlarged already
  /// (super_resolution/config.h)
  /// -> the enlarged pictures, f32 [B, upscale height, upscale width, channels].
  virtual Tensor enlarged_pixels(const Tensor& pixels, const nn::Mode& mode) const;
  /// pixels f32 [B,height,width,channels] -> f32 [B, height/4, width/4, K]: near 1 where each of K key points lies.
  virtual Tensor heat_maps(const Tensor& pixels, const nn::Mode& mode) const;
  /// pixels f32 [B,height,width,channels] -> what the last layer of a classifier reads, [B,F] f32.
  virtual Tensor image_features(const Tensor& pixels, const nn::Mode& mode) const;
  /// latent f32 [B,Z], normal numbers -> pictures f32 [B,height,width,channels] in -1..1.
  virtual Tensor generated_images(const Tensor& latent, const nn::Mode& mode) const;
  /// pixels f32 [B,height,width,channels] in -1..1 -> logits [B] f32 that they are real, not generated. `frozen`: the
  /// parameters take no gradient of it.
  virtual Tensor realness_logits(const Tensor& pixels, const nn::Mode& mode, bool frozen) const;
  /// rows [M] i32: the packed places whose next token is asked for -> logits [M,V] in mode.dtype. With a cache of
  /// new_cache() the sequences are new tokens behind those that it holds, positions counting on, and it takes them in.
  virtual Tensor next_token_logits(const PackedSequences& sequences, const Tensor& rows, const nn::Mode& mode,
                                   TokenCache* cache) const;
  /// The same for training: what those logits are made of, of weights that are not held in 8 bits.
  virtual VocabularyHead next_token_head(const PackedSequences& sequences, const Tensor& rows,
                                         const nn::Mode& mode) const;
  /// An empty cache for `sequences` sequences of at most `capacity` tokens, computed in `dtype`.
  virtual TokenCache new_cache(int64_t sequences, int64_t capacity, DType dtype) const;
  /// Recompute each layer in backward instead of keeping what lies inside it (Chen et al. 2016). Throws UserError where
  /// that is asked for and the family has none.
  virtual void set_gradient_checkpointing(bool on);
  /// Rows of a table: numbers [B,F] f32 beside the weights and categories [K,B] i32 (undefined where F or K is 0) ->
  /// logits [B, labels] f32.
  virtual Tensor row_logits(const Tensor& numbers, const Tensor& categories, const nn::Mode& mode) const;
  /// The item tower: text vectors [M,W] f32 of items and the rows [M] i32 of their learned parts, 0 for an item that
  /// has none -> [M,D] f32 of length 1.
  virtual Tensor item_vectors(const Tensor& text, const Tensor& rows, const nn::Mode& mode) const;
  /// The user tower: item vectors [T,D] of what users liked, in the order of time, packed by offsets [B+1] i32 -> [T,D]
  /// f32 of length 1: the user after each of them.
  virtual Tensor user_vectors(const Tensor& items, const Tensor& offsets, const nn::Mode& mode) const;
  /// True where the lengths of a batch's sequences, and not only its shape, decide which kernels run and on what: no
  /// recording of one batch may stand for another.
  virtual bool lengths_decide_launches() const { return false; }
};

}  // namespace suanli::models

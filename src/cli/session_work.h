/// What `suanli bench session` can time: one piece of work at a time, opened once and run many times.
#pragma once

#include <memory>

#include "base/json.h"

namespace suanli::cli {

class SessionWork {
 public:
  virtual ~SessionWork() = default;
  /// Does the work once; where it has several batches, the one whose number is `turn` modulo their count.
  virtual void run(size_t turn) = 0;
  /// What a peer must answer too: "vectors" [B,H], "ids" of each text, or "numbers". Changes the state of training.
  virtual Json answers() = 0;
};

/// The work that `request` describes: its "kind", "model" (a folder), "precision" and "work" (a JSON file):
///   infer      {"sequences": [[id, ...], ...]}: sentence vectors (mean pooling, length 1) of token ids
///   embed      {"texts": [...]}: the same from texts, cut to "max_length" tokens
///   tokenize   {"texts": [...]}: on the calling thread
///   load       {"sequences": ...}: reads the folder and answers
///   classify   {"size": of a side, "batches": [{"pictures": [[size size 3 numbers], ...], "labels": [...]}, ...]}: the
///              first batch to logits
///   pictures   see session_pictures.h
///   step       {"batches": [{"sequences": ..., "labels": ...}, ...]}: a training step of "task"; labels are a list a
///              sequence with -100 for "not predicted" (masked-lm), one class a sequence (text-classification), or none
///              (causal-lm); or the file of classify (image-classification)
///   optimizer  the same file: norm, clipping and AdamW, on the gradients of the first batch
/// Throws UserError for anything else, a missing key, or what the engine refuses.
std::unique_ptr<SessionWork> open_work(const Json& request);

}  // namespace suanli::cli

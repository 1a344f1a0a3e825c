/// What a model learns: all that the trainer and the evaluation know of a task.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/batch.h"
#include "data/example.h"
#include "data/reader.h"
#include "image/draw.h"
#include "models/load.h"
#include "models/sequences.h"
#include "text/tokenizer.h"
#include "train/answers.h"
#include "train/metrics.h"

namespace suanli {

/// Counts what a model gets right over an evaluation set, batch by batch, keeping no logits.
class Scorer {
 public:
  virtual ~Scorer() = default;
  /// Forward without gradients, then counts.
  virtual void add(const Batch& batch, const nn::Mode& mode) = 0;
  /// "loss" first, then the scores of the task.
  virtual Scores scores() const = 0;
  /// Lines for a person, such as a confusion matrix; may be empty.
  virtual std::string report() const { return ""; }
  /// The predictions so far as text, by row; only where they were asked for.
  virtual std::vector<std::pair<int64_t, std::string>> predictions() const { return predictions_; }
  /// Beside them labels and probabilities, of tasks with one answer a row; only where predictions were asked for.
  const Answers& answers() const { return answers_; }
  /// Some of the pictures with what was found in them; only where predictions were asked for.
  const std::vector<CaptionedImage>& pictures() const { return pictures_; }

 protected:
  std::vector<std::pair<int64_t, std::string>> predictions_;
  Answers answers_;
  std::vector<CaptionedImage> pictures_;
};

/// What the loss of a batch is computed from: constant tensors of the host, of which a device keeps one copy each
/// (Tensor::on). Those that a task does not use are undefined.
struct LossInputs {
  Tensor packed = {};      ///< models::packed_array() of T tokens
  Tensor features = {};    ///< f32 [B, width], or pictures [B, height, width, channels]
  Tensor categories = {};  ///< i32 [B, width]
  Tensor rows = {};        ///< i32: rows that are looked up: masked tokens, or the two sentences of each pair
  Tensor labels = {};      ///< i32
  Tensor targets = {};     ///< f32
  int64_t tokens = 0;      ///< T
  int64_t classes = 0;     ///< a label is below this, or kIgnoredLabel

  /// All of the tensors, those that are undefined too.
  std::array<Tensor, 6> all() const { return {packed, features, categories, rows, labels, targets}; }

  models::PackedSequences sequences() const { return models::packed_views(packed, tokens); }
};

class Task {
 public:
  virtual ~Task() = default;
  /// Inputs and targets of one example; `where` (file and line) goes into messages. Thread safe. Throws UserError.
  virtual EncodedExample encode(const Example& example, const std::string& where) const = 0;
  /// The rows of a data set from its encoded examples: the examples, or blocks of running text.
  virtual std::vector<EncodedExample> arrange(std::vector<EncodedExample> examples) const { return examples; }
  /// A row as it is used in `epoch`: masked or augmented anew. Thread safe.
  virtual EncodedExample draw(const EncodedExample& row, int64_t epoch) const {
    static_cast<void>(epoch);
    return row;
  }
  /// A row as it is scored. Thread safe.
  virtual EncodedExample scored(const EncodedExample& row) const { return draw(row, 0); }
  /// How many items the mean loss runs over: labelled tokens, masked tokens, or sequences.
  virtual int64_t items(const Batch& batch) const = 0;
  /// What loss() reads of a batch. Batches of one shape, with equally many items, give tensors of equal shapes.
  virtual LossInputs inputs(const Batch& batch) const = 0;
  /// The sum of the losses of all items, divided by `normalizer`: [1] f32 on the tape. The batch has items. On a device
  /// it only queues work, the same for all inputs of one shape.
  virtual Tensor loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const = 0;
  virtual std::unique_ptr<Scorer> scorer(bool keep_predictions) const = 0;
  /// Of tasks that embed texts: the vectors of all texts of a batch, of length 1, [texts, H] f32. Else undefined.
  virtual Tensor embeddings(const LossInputs& /*inputs*/, const nn::Mode& /*mode*/) const { return {}; }
};

/// What a task reads.
enum class Input {
  boxed_image,
  generated_image,
  image,
  interactions,
  keypoint_image,
  masked_image,
  plain_image,
  question,
  series,
  table,
  text
};

/// What must be known of a task before its data is read and its model built.
struct TaskKind {
  std::string name, problem_type;
  Input input = Input::text;
  models::Head head = models::Head::none;
  LabelKind labels = LabelKind::none;
  int64_t default_length = 0;  ///< tokens of a sequence where max_seq_length is not set; 0: the model's longest
  bool embeds = false;         ///< what is trained is a model of sentence embeddings
};

/// The kind called `name` ("masked-lm", ...); empty: what the head and problem_type in config.json stand for.
/// `problem_type` empty: as in config.json. Throws UserError naming the choices.
TaskKind task_kind(const std::string& name, const std::string& problem_type, const Json& model_config);

struct TaskOptions {
  int64_t max_length = 128;  ///< tokens, special ones included
  double label_smoothing = 0;
  double mlm_probability = 0.15;
  int64_t block_size = 0;  ///< masked-lm, causal-lm: length of the blocks of running text; 0: each example for itself
  uint64_t seed = 42;      ///< of masking
  bool mean_pooling = true;
  bool triplets = false;        ///< sentence-retrieval: learns from triplets
  double triplet_margin = 0.5;  ///< see make_sentence_triplets
};

/// The task over `model`, which must outlive it. `labels` names the classes (none for masked-lm and numbers).
std::unique_ptr<Task> make_task(const TaskKind& kind, const models::Model& model, Tokenizer tokenizer,
                                const LabelTable& labels, const TaskOptions& options);

}  // namespace suanli

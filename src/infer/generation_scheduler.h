/// Texts that write themselves for many callers: requests join and leave one running batch between its steps.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "infer/decoding.h"
#include "infer/work.h"

namespace suanli::infer {

struct GenerationEnd {
  Ending ending = Ending::done;
  Finish finish = Finish::none;  ///< of Ending::done
  std::string message = {};      ///< of Ending::failed
  Timing timing = {};            ///< the queue, and from there to the end
  int64_t first_token_ns = 0;    ///< from submit() to the first token; 0: there was none
  int64_t prompt_tokens = 0, new_tokens = 0;
};

struct GenerationRequest {
  TokenIds prompt;
  GenerationConfig config = {};
  WorkOptions options = {};
  /// Called with what is new, an end of sequence included, on the scheduler's thread; true ends the text
  /// (Finish::stop). What it throws ends the request as failed. May be empty.
  std::function<bool(std::span<const int32_t>)> on_tokens = {};
  /// Called exactly once, behind all calls of on_tokens, on the scheduler's thread or, where the request is refused, on
  /// that of submit(). Must not throw.
  std::function<void(const GenerationEnd&)> on_end;
};

struct GenerationSchedulerOptions {
  size_t slots = 8;         ///< texts that are written side by side
  int64_t capacity = 2048;  ///< tokens of one, prompt and answer: memory is taken for all slots at once
  size_t queued = 256;      ///< requests that may wait for a slot
  /// A step takes in at most so many tokens of prompts, beside one token of each text that is being written: long
  /// prompts come in pieces, and the others go on meanwhile.
  int64_t prompt_tokens_per_step = 512;
};

/// Counted from the beginning, but for what runs and waits now.
struct GenerationStats {
  size_t running = 0, queued = 0;
  int64_t steps = 0, prompt_tokens = 0, new_tokens = 0;
};

/// One thread owns the model and computes one token of each running text a step. The tokens of a request are those that
/// Generator::generate() gives for its prompt alone: token i is drawn at the place (seed, i, 0), and neither where a
/// prompt is cut nor which kernel of attention reads it depends on the others. What is left is the rounding of
/// products, which may differ with the rows of a batch: about 2e-6 of the largest logit in f32. In bf16 a prompt that
/// comes in pieces rounds otherwise than a whole one.
class GenerationScheduler {
 public:
  /// A capacity above the model's longest sequence counts as that. The model needs the head causal_lm; `dtype`: of
  /// activations and the cache. Throws UserError for options below 1.
  GenerationScheduler(models::Model model, DType dtype, const GenerationSchedulerOptions& options = {});
  /// What has not ended ends as Ending::stopped.
  ~GenerationScheduler();
  GenerationScheduler(const GenerationScheduler&) = delete;
  GenerationScheduler& operator=(const GenerationScheduler&) = delete;

  /// From any thread. The request waits for a slot by priority, then arrival; one that is cancelled or whose deadline
  /// passes ends before the next step, also while it writes. Throws UserError, and takes nothing, for a config that
  /// does not check() or has several beams, an empty prompt, ids outside the vocabulary, or a prompt as long as a slot.
  void submit(GenerationRequest request);
  /// Takes no more (Ending::stopped) and returns when all that was taken has ended. Not from a callback.
  void drain();
  GenerationStats stats() const;
  const models::Model& model() const { return model_; }

 private:
  struct Work;
  using WorkPointer = std::unique_ptr<Work>;
  /// New tokens of one text in a step.
  struct Piece {
    Work* work;
    TokenIds tokens;
  };

  void run();
  bool begin_step();
  void drop_unwanted();
  std::vector<Piece> next_pieces() const;
  void compute(std::span<const Piece> pieces);
  void take(const Piece& piece, std::span<float> logits);
  void end_step(std::span<const Piece> pieces);
  void release(WorkPointer work);
  void report_ended();
  void report(const Work& work);

  models::Model model_;
  GenerationSchedulerOptions options_;
  Decoding decoding_;                 ///< of the scheduler's thread, as are the next two
  std::vector<WorkPointer> running_;  ///< in the order in which they began
  std::vector<WorkPointer> ended_;    ///< to be reported
  mutable std::mutex mutex_;          ///< of all that follows
  std::condition_variable changed_, idle_;
  std::multimap<int, WorkPointer, std::greater<>> queue_;  ///< by priority; equal ones in the order they came
  std::vector<size_t> free_;                               ///< slots
  size_t unfinished_ = 0;                                  ///< requests taken and not reported
  int64_t steps_ = 0, prompt_tokens_ = 0, new_tokens_ = 0;
  bool draining_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace suanli::infer

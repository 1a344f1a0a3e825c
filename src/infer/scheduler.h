/// One queue in front of a model: batches by a budget of tokens, priorities, deadlines, cancellation.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "infer/engine.h"
#include "infer/work.h"

namespace suanli::infer {

struct JobResult {
  Ending ending = Ending::done;
  std::string message = {};                   ///< of Ending::failed
  std::vector<std::vector<float>> rows = {};  ///< of Ending::done: one for each sequence, in their order
  Timing timing = {};
};

struct Job {
  std::vector<TokenSequence> sequences;
  Output output = Output::embedding;
  WorkOptions options = {};
  /// Called exactly once, on a thread of the scheduler or, where the job is refused, of submit(). Must not throw.
  std::function<void(JobResult)> on_end;
};

struct SchedulerOptions {
  int replicas = 1;                 ///< threads that compute side by side
  int64_t tokens_per_batch = 4096;  ///< at most so many are computed together, or one sequence
  size_t queued = 256;              ///< jobs that may wait
  std::function<void(int64_t sequences, int64_t tokens)> on_batch = {};  ///< of each batch, on its thread
};

/// A thread that is free takes what is queued, at most a batch, at once: it never waits for more to come. Of several
/// threads each takes its share of what is there. A job of many sequences may be computed in several batches, beside
/// other jobs or by several threads.
class Scheduler {
 public:
  /// With several replicas the model must be on the CPU; its threads share the weights.
  Scheduler(Engine engine, SchedulerOptions options);
  /// What has not begun ends as Ending::stopped.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// From any thread. Throws UserError, and takes nothing, for a job without sequences, an empty sequence, one longer
  /// than the model takes, or ids or types outside the model's.
  void submit(Job job);
  /// Takes no more (Ending::stopped) and returns when all that was taken has ended.
  void drain();
  /// Jobs that wait.
  size_t queued() const;
  const Engine& engine() const { return engine_; }

 private:
  struct Entry {
    Job job;
    Clock::time_point arrival, begun = {};
    size_t next = 0;  ///< sequence that begins next
    size_t left;      ///< sequences that have not ended
    bool ended = false;
    std::vector<std::vector<float>> rows;
  };
  using EntryPointer = std::shared_ptr<Entry>;
  struct Piece {
    EntryPointer entry;
    size_t begin, end;  ///< of its sequences
  };

  void work();
  std::vector<Piece> take_batch(std::vector<EntryPointer>& dropped, Ending& why);
  void compute(const std::vector<Piece>& batch);
  void finish(const Piece& piece, std::vector<std::vector<float>> rows);
  void end(const EntryPointer& entry, Ending ending, std::string message = {});
  bool unwanted(const Entry& entry, Ending& why) const;
  void pop_first();

  Engine engine_;
  SchedulerOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_, idle_;
  std::map<int, std::deque<EntryPointer>, std::greater<>> queues_;  ///< by priority; no empty ones
  size_t waiting_ = 0;                                              ///< jobs in the queues
  int64_t waiting_tokens_ = 0;                                      ///< of their sequences that have not begun
  size_t unfinished_ = 0;                                           ///< jobs taken and not ended
  bool draining_ = false, stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace suanli::infer

/// One queue in front of a model of tables, pictures or series: what scheduler.h is for texts.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "infer/prediction.h"
#include "infer/work.h"

namespace suanli::infer {

struct PredictionResult {
  Ending ending = Ending::done;
  std::string message = {};              ///< of Ending::failed
  std::vector<Prediction> answers = {};  ///< of Ending::done: one for each item, in their order
  Timing timing = {};
};

struct PredictionJob {
  std::vector<Prepared> items;
  WorkOptions options = {};
  /// Called exactly once, on the scheduler's thread or, where the job is refused, on that of submit(). Must not throw.
  std::function<void(PredictionResult)> on_end;
};

struct PredictionSchedulerOptions {
  size_t items_per_batch = 64;                       ///< at most so many are computed together, or one job
  size_t queued = 256;                               ///< jobs that may wait
  size_t queued_bytes = size_t{256} << 20;           ///< of their items; one job always may
  std::function<void(int64_t items)> on_batch = {};  ///< of each batch, on the scheduler's thread
};

/// Its thread takes what is queued, at most a batch, at once: it never waits for more to come.
class PredictionScheduler {
 public:
  using Predict = std::function<std::vector<Prediction>(std::span<const Prepared>)>;
  /// `predict` is called on the scheduler's thread alone.
  PredictionScheduler(Predict predict, PredictionSchedulerOptions options);
  /// What has not begun ends as Ending::stopped.
  ~PredictionScheduler();
  PredictionScheduler(const PredictionScheduler&) = delete;
  PredictionScheduler& operator=(const PredictionScheduler&) = delete;

  /// From any thread; the job has items.
  void submit(PredictionJob job);
  /// Takes no more (Ending::stopped) and returns when all that was taken has ended.
  void drain();
  /// Jobs that wait.
  size_t queued() const;

 private:
  struct Entry {
    PredictionJob job;
    size_t bytes = 0;
    Clock::time_point arrival, begun = {};
  };
  void work();
  std::vector<Entry> take_batch(std::vector<std::pair<Entry, Ending>>& dropped);
  void compute(std::vector<Entry> batch);
  void end(Entry& entry, PredictionResult result);

  Predict predict_;
  PredictionSchedulerOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_, idle_;
  std::map<int, std::deque<Entry>, std::greater<>> queues_;  ///< by priority; no empty ones
  size_t waiting_ = 0, waiting_bytes_ = 0, unfinished_ = 0;
  bool draining_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace suanli::infer

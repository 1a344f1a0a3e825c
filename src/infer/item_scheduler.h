/// One queue in front of what answers items (rows, pictures, series, explanations): what scheduler.h is for texts.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "infer/work.h"

namespace suanli::infer {

template <class Answer>
struct ItemResult {
  Ending ending = Ending::done;
  std::string message = {};          ///< of Ending::failed
  std::vector<Answer> answers = {};  ///< of Ending::done: one for each item, in their order
  Timing timing = {};
};

template <class Item, class Answer>
struct ItemJob {
  std::vector<Item> items;
  WorkOptions options = {};
  /// Called exactly once, on the scheduler's thread or, where the job is refused, on that of submit(). Must not throw.
  std::function<void(ItemResult<Answer>)> on_end;
};

struct ItemSchedulerOptions {
  size_t items_per_batch = 64;                       ///< at most so many are computed together, or one job
  size_t queued = 256;                               ///< jobs that may wait
  size_t queued_bytes = size_t{256} << 20;           ///< of their items by bytes_of(item); one job always may
  std::function<void(int64_t items)> on_batch = {};  ///< of each batch, on the scheduler's thread
};

/// Its thread takes what is queued, at most a batch, at once: it never waits for more to come.
template <class Item, class Answer>
class ItemScheduler {
 public:
  using Job = ItemJob<Item, Answer>;
  using Result = ItemResult<Answer>;
  using Compute = std::function<std::vector<Answer>(std::span<const Item>)>;

  /// `compute` is called on the scheduler's thread alone.
  ItemScheduler(Compute compute, ItemSchedulerOptions options)
      : compute_(std::move(compute)), options_(std::move(options)), thread_([this] { work(); }) {}
  /// What has not begun ends as Ending::stopped.
  ~ItemScheduler();
  ItemScheduler(const ItemScheduler&) = delete;
  ItemScheduler& operator=(const ItemScheduler&) = delete;

  /// From any thread; the job has items.
  void submit(Job job);
  /// Takes no more (Ending::stopped) and returns when all that was taken has ended.
  void drain() {
    std::unique_lock lock(mutex_);
    draining_ = true;
    idle_.wait(lock, [&] { return unfinished_ == 0; });
  }
  /// Jobs that wait.
  size_t queued() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  struct Entry {
    Job job;
    size_t bytes = 0;
    Clock::time_point arrival, begun = {};
  };
  void work();
  std::vector<Entry> take_batch(std::vector<std::pair<Entry, Ending>>& dropped);
  void compute(std::vector<Entry> batch);
  void end(Entry& entry, Result result);

  Compute compute_;
  ItemSchedulerOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_, idle_;
  std::map<int, std::deque<Entry>, std::greater<>> queues_;  ///< by priority; no empty ones
  size_t waiting_ = 0, waiting_bytes_ = 0, unfinished_ = 0;
  bool draining_ = false, stopping_ = false;
  std::thread thread_;
};

template <class Item, class Answer>
ItemScheduler<Item, Answer>::~ItemScheduler() {
  std::map<int, std::deque<Entry>, std::greater<>> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = draining_ = true;
    left.swap(queues_);
    waiting_ = waiting_bytes_ = 0;
  }
  changed_.notify_all();
  for (auto& [priority, queue] : left) {
    for (Entry& entry : queue) end(entry, {.ending = Ending::stopped});
  }
  thread_.join();
}

template <class Item, class Answer>
void ItemScheduler<Item, Answer>::submit(Job job) {
  SUANLI_ASSERT(!job.items.empty());
  Entry entry{.job = std::move(job), .arrival = Clock::now()};
  for (const Item& item : entry.job.items) entry.bytes += bytes_of(item);
  Ending ending = Ending::done;
  {
    const std::lock_guard lock(mutex_);
    const bool full =
        waiting_ >= options_.queued || (waiting_ > 0 && waiting_bytes_ + entry.bytes > options_.queued_bytes);
    ending = draining_ ? Ending::stopped : full ? Ending::refused : Ending::done;
    ++unfinished_;
    if (ending == Ending::done) {
      ++waiting_;
      waiting_bytes_ += entry.bytes;
      queues_[entry.job.options.priority].push_back(std::move(entry));
    }
  }
  if (ending != Ending::done) return end(entry, {.ending = ending});
  changed_.notify_one();
}

template <class Item, class Answer>
auto ItemScheduler<Item, Answer>::take_batch(std::vector<std::pair<Entry, Ending>>& dropped) -> std::vector<Entry> {
  std::vector<Entry> batch;
  size_t items = 0;
  while (!queues_.empty()) {
    auto& queue = queues_.begin()->second;
    const WorkOptions& options = queue.front().job.options;
    const bool cancelled = options.cancelled && options.cancelled->load(std::memory_order_relaxed);
    const bool unwanted = cancelled || options.deadline <= Clock::now();
    const size_t more = queue.front().job.items.size();
    if (!unwanted && !batch.empty() && items + more > options_.items_per_batch) break;
    Entry entry = std::move(queue.front());
    queue.pop_front();
    if (queue.empty()) queues_.erase(queues_.begin());
    --waiting_;
    waiting_bytes_ -= entry.bytes;
    if (unwanted) {
      dropped.emplace_back(std::move(entry), cancelled ? Ending::cancelled : Ending::expired);
    } else {
      items += more;
      batch.push_back(std::move(entry));
    }
  }
  return batch;
}

template <class Item, class Answer>
void ItemScheduler<Item, Answer>::work() {
  for (;;) {
    std::vector<std::pair<Entry, Ending>> dropped;
    std::vector<Entry> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || !queues_.empty(); });
      if (stopping_) return;
      batch = take_batch(dropped);
    }
    for (auto& [entry, why] : dropped) end(entry, {.ending = why});
    if (!batch.empty()) compute(std::move(batch));
  }
}

template <class Item, class Answer>
void ItemScheduler<Item, Answer>::compute(std::vector<Entry> batch) {
  std::vector<Item> items;
  const auto begun = Clock::now();
  for (Entry& entry : batch) {
    entry.begun = begun;
    // Kept for a second try where the batch fails.
    items.insert(items.end(), entry.job.items.begin(), entry.job.items.end());
  }
  std::vector<Answer> answers;
  try {
    answers = compute_(items);
    SUANLI_ASSERT(answers.size() == items.size());
  } catch (const std::exception& error) {
    if (batch.size() == 1) return end(batch.front(), {.ending = Ending::failed, .message = error.what()});
    for (Entry& entry : batch) {  // one of them fails, not all
      std::vector<Entry> alone;
      alone.push_back(std::move(entry));
      compute(std::move(alone));
    }
    return;
  }
  if (options_.on_batch) options_.on_batch(std::ssize(items));
  auto next = answers.begin();
  for (Entry& entry : batch) {
    Result result;
    const auto count = std::ssize(entry.job.items);
    result.answers.assign(std::make_move_iterator(next), std::make_move_iterator(next + count));
    next += count;
    end(entry, std::move(result));
  }
}

template <class Item, class Answer>
void ItemScheduler<Item, Answer>::end(Entry& entry, Result result) {
  const auto now = Clock::now();
  const bool computed = entry.begun != Clock::time_point();
  result.timing = {.queue_ns = std::chrono::nanoseconds((computed ? entry.begun : now) - entry.arrival).count(),
                   .compute_ns = computed ? std::chrono::nanoseconds(now - entry.begun).count() : 0};
  entry.job.on_end(std::move(result));
  const std::lock_guard lock(mutex_);
  if (--unfinished_ == 0) idle_.notify_all();
}

}  // namespace suanli::infer

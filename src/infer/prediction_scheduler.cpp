#include "infer/prediction_scheduler.h"

#include <algorithm>
#include <exception>

#include "base/error.h"

namespace suanli::infer {

namespace {

size_t bytes_of(const PredictionJob& job) {
  size_t bytes = 0;
  for (const Prepared& item : job.items) {
    bytes += item.image.values.size() + item.example.features.size() * sizeof(float) +
             item.example.categories.size() * sizeof(int32_t);
  }
  return bytes;
}

bool nobody_waits(const WorkOptions& options, Ending& why) {
  const bool cancelled = options.cancelled && options.cancelled->load(std::memory_order_relaxed);
  why = cancelled ? Ending::cancelled : Ending::expired;
  return cancelled || options.deadline <= Clock::now();
}

}  // namespace

PredictionScheduler::PredictionScheduler(Predict predict, PredictionSchedulerOptions options)
    : predict_(std::move(predict)), options_(std::move(options)), thread_([this] { work(); }) {}

PredictionScheduler::~PredictionScheduler() {
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

void PredictionScheduler::submit(PredictionJob job) {
  SUANLI_ASSERT(!job.items.empty());
  Entry entry{.job = std::move(job), .arrival = Clock::now()};
  entry.bytes = bytes_of(entry.job);
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

void PredictionScheduler::drain() {
  std::unique_lock lock(mutex_);
  draining_ = true;
  idle_.wait(lock, [&] { return unfinished_ == 0; });
}

size_t PredictionScheduler::queued() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

std::vector<PredictionScheduler::Entry> PredictionScheduler::take_batch(
    std::vector<std::pair<Entry, Ending>>& dropped) {
  std::vector<Entry> batch;
  size_t items = 0;
  while (!queues_.empty()) {
    auto& queue = queues_.begin()->second;
    Ending why = Ending::done;
    const bool unwanted = nobody_waits(queue.front().job.options, why);
    const size_t more = queue.front().job.items.size();
    if (!unwanted && !batch.empty() && items + more > options_.items_per_batch) break;
    Entry entry = std::move(queue.front());
    queue.pop_front();
    if (queue.empty()) queues_.erase(queues_.begin());
    --waiting_;
    waiting_bytes_ -= entry.bytes;
    if (unwanted) {
      dropped.emplace_back(std::move(entry), why);
    } else {
      items += more;
      batch.push_back(std::move(entry));
    }
  }
  return batch;
}

void PredictionScheduler::work() {
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

void PredictionScheduler::compute(std::vector<Entry> batch) {
  std::vector<Prepared> items;
  const auto begun = Clock::now();
  for (Entry& entry : batch) {
    entry.begun = begun;
    // Kept for a second try where the batch fails.
    items.insert(items.end(), entry.job.items.begin(), entry.job.items.end());
  }
  std::vector<Prediction> answers;
  try {
    answers = predict_(items);
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
    PredictionResult result;
    const auto count = std::ssize(entry.job.items);
    result.answers.assign(std::make_move_iterator(next), std::make_move_iterator(next + count));
    next += count;
    end(entry, std::move(result));
  }
}

void PredictionScheduler::end(Entry& entry, PredictionResult result) {
  const auto now = Clock::now();
  const bool computed = entry.begun != Clock::time_point();
  result.timing = {.queue_ns = std::chrono::nanoseconds((computed ? entry.begun : now) - entry.arrival).count(),
                   .compute_ns = computed ? std::chrono::nanoseconds(now - entry.begun).count() : 0};
  entry.job.on_end(std::move(result));
  const std::lock_guard lock(mutex_);
  if (--unfinished_ == 0) idle_.notify_all();
}

}  // namespace suanli::infer

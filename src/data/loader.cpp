#include "data/loader.h"

#include <atomic>
#include <limits>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/profile.h"

namespace suanli {

std::vector<EncodedExample> encode_rows(int64_t rows, const std::function<EncodedExample(int64_t row)>& tokenize) {
  const ProfileScope scope("tokenize");
  std::vector<EncodedExample> examples(static_cast<size_t>(rows));
  std::mutex mutex;
  std::exception_ptr failure;
  int64_t failed_row = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> first_failure = failed_row;
  const auto tokenize_row = [&](int64_t row) {
    if (row > first_failure) return;  // rows before it may still fail, and theirs is the exception to show
    try {
      examples[static_cast<size_t>(row)] = tokenize(row);
      examples[static_cast<size_t>(row)].row = row;
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (row < failed_row) {
        failed_row = row;
        first_failure = row;
        failure = std::current_exception();
      }
    }
  };
  constexpr int64_t kRows = 64;  // a task
  parallel_tasks((rows + kRows - 1) / kRows, false, [&](int64_t task) {
    for (int64_t row = task * kRows; row < std::min(rows, (task + 1) * kRows); ++row) tokenize_row(row);
  });
  if (failure) std::rethrow_exception(failure);
  return examples;
}

Loader::Loader(Sampler sampler, FetchExample fetch, DataPosition start, int64_t epochs, int64_t depth, int64_t threads)
    : sampler_(std::move(sampler)),
      fetch_(std::move(fetch)),
      position_(start),
      epochs_(epochs),
      depth_(static_cast<size_t>(threads > 0 ? depth : 0)),
      begun_(start) {
  SUANLI_ASSERT(depth >= 0 && threads >= 0 && start.epoch >= 0 && start.batch >= 0);
  if (position_.batch >= batches_per_epoch()) {
    throw UserError("resume",
                    "the data position lies behind the last batch of an epoch; are data and batch size those "
                    "of the interrupted run?");
  }
  for (int64_t i = 0; depth > 0 && i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

DataPosition Loader::after(DataPosition position) const {
  return position.batch + 1 < sampler_.batches_per_epoch() ? DataPosition{position.epoch, position.batch + 1}
                                                           : DataPosition{position.epoch + 1, 0};
}

Loader::Pending Loader::begin(DataPosition position) {
  const auto rows = sampler_.batch(position.epoch, position.batch);
  Pending pending;
  pending.epoch = position.epoch;
  pending.rows.assign(rows.begin(), rows.end());
  pending.examples.resize(pending.rows.size());
  if (pending.rows.empty()) {  // an empty part of a batch: nobody fetches a row
    pending.batch = pack({});
    pending.ready = true;
  }
  return pending;
}

void Loader::fetch_row(Pending* pending, size_t row) {
  const ProfileScope scope("fetch row");
  EncodedExample& example = pending->examples[row];
  example = fetch_(pending->rows[row], pending->epoch);
  example.row = pending->rows[row];
}

void Loader::finish(Pending* pending) {
  const ProfileScope scope("make batch");
  pending->batch = pack(pending->examples);
  pending->examples = {};
}

/// The next row to fetch, of the earliest batch that has one; null at the end. With mutex_ held.
Loader::Pending* Loader::claim(size_t* row) {
  for (Pending& pending : pending_) {
    if (pending.claimed < pending.rows.size()) {
      *row = pending.claimed++;
      return &pending;
    }
  }
  while (pending_.size() < depth_ && begun_.epoch < epochs_) {
    pending_.push_back(begin(begun_));
    begun_ = after(begun_);
    if (pending_.back().ready) {
      changed_.notify_all();
      continue;
    }
    *row = pending_.back().claimed++;
    return &pending_.back();
  }
  return nullptr;
}

void Loader::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    size_t row = 0;
    Pending* pending = nullptr;
    changed_.wait(lock, [&] { return stop_ || (pending = claim(&row)) != nullptr || begun_.epoch >= epochs_; });
    if (stop_ || pending == nullptr) return;
    lock.unlock();  // the batch stays where it is until it is ready: a deque moves nothing
    std::exception_ptr failure;
    try {
      fetch_row(pending, row);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure && (!pending->failure || row < pending->failed_row)) {
      pending->failure = failure;
      pending->failed_row = row;
    }
    if (++pending->fetched < pending->rows.size()) continue;
    if (!pending->failure) {
      lock.unlock();
      try {
        finish(pending);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      pending->failure = failure;
    }
    pending->ready = true;
    changed_.notify_all();
  }
}

bool Loader::next(Batch* batch) {
  if (position_.epoch >= epochs_) return false;
  const ProfileScope scope("wait for data");
  const double start = seconds_now();
  if (depth_ == 0) {
    Pending pending = begin(position_);
    for (size_t row = 0; row < pending.rows.size(); ++row) fetch_row(&pending, row);
    finish(&pending);
    *batch = std::move(pending.batch);
  } else {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !pending_.empty() && pending_.front().ready; });
    if (pending_.front().failure) std::rethrow_exception(pending_.front().failure);
    *batch = std::move(pending_.front().batch);
    pending_.pop_front();
    lock.unlock();
    changed_.notify_all();
  }
  waited_seconds_ += seconds_now() - start;
  position_ = after(position_);
  return true;
}

}  // namespace suanli

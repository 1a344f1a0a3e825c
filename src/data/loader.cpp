#include "data/loader.h"

#include <atomic>
#include <limits>
#include <utility>

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

Loader::Loader(Sampler sampler, FetchExample fetch, DataPosition start, int64_t epochs, int64_t depth)
    : sampler_(std::move(sampler)),
      fetch_(std::move(fetch)),
      position_(start),
      epochs_(epochs),
      depth_(static_cast<size_t>(depth)) {
  SUANLI_ASSERT(depth >= 0 && start.epoch >= 0 && start.batch >= 0);
  if (position_.batch >= batches_per_epoch()) {
    throw UserError("resume",
                    "the data position lies behind the last batch of an epoch; are data and batch size those "
                    "of the interrupted run?");
  }
  if (depth > 0) thread_ = std::thread([this] { work(position_); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

DataPosition Loader::after(DataPosition position) const {
  return position.batch + 1 < sampler_.batches_per_epoch() ? DataPosition{position.epoch, position.batch + 1}
                                                           : DataPosition{position.epoch + 1, 0};
}

Batch Loader::make(DataPosition position) {
  const ProfileScope scope("make batch");
  std::vector<EncodedExample> examples;
  for (const int64_t row : sampler_.batch(position.epoch, position.batch)) {
    examples.push_back(fetch_(row, position.epoch));
    examples.back().row = row;
  }
  return pack(examples);
}

void Loader::work(DataPosition position) {
  for (; position.epoch < epochs_; position = after(position)) {
    Batch batch;
    std::exception_ptr failure;
    try {
      batch = make(position);
    } catch (...) {
      failure = std::current_exception();
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stop_ || ready_.size() < depth_; });
    if (stop_) return;
    if (failure) {
      failure_ = failure;
    } else {
      ready_.push_back(std::move(batch));
    }
    lock.unlock();
    changed_.notify_all();
    if (failure) return;
  }
}

bool Loader::next(Batch* batch) {
  if (position_.epoch >= epochs_) return false;
  if (depth_ == 0) {
    *batch = make(position_);
  } else {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || failure_; });
    if (ready_.empty()) std::rethrow_exception(failure_);
    *batch = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    changed_.notify_all();
  }
  position_ = after(position_);
  return true;
}

}  // namespace suanli

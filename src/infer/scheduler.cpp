#include "infer/scheduler.h"

#include <algorithm>
#include <exception>

#include "base/error.h"

namespace suanli::infer {

namespace {

// A batch below this gains from more: the weights are read for fewer tokens than the arithmetic hides.
constexpr int64_t kSmallShare = 256;

int64_t tokens_of(const TokenSequence& sequence) { return static_cast<int64_t>(sequence.ids.size()); }

int64_t nanoseconds(Clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

void check_sequence(const TokenSequence& sequence, const models::ModelConfig& model) {
  const int64_t length = tokens_of(sequence);
  if (length == 0 || length > model.longest_sequence) {
    throw UserError(
        "inputs", "expected 1 to " + std::to_string(model.longest_sequence) + " tokens, got " + std::to_string(length));
  }
  const auto check = [](const std::vector<int32_t>& values, int64_t count, const char* what) {
    for (const int32_t value : values) {
      if (value >= 0 && value < count) continue;
      throw UserError("inputs", std::string("expected ") + what + " in 0.." + std::to_string(count - 1) + ", got " +
                                    std::to_string(value));
    }
  };
  check(sequence.ids, model.vocab_size, "token ids");
  if (model.type_vocab_size > 0) check(sequence.types, model.type_vocab_size, "token types");
}

}  // namespace

Scheduler::Scheduler(Engine engine, SchedulerOptions options)
    : engine_(std::move(engine)), options_(std::move(options)) {
  SUANLI_ASSERT(options_.replicas >= 1);
  for (int i = 0; i < options_.replicas; ++i) threads_.emplace_back([this] { work(); });
}

Scheduler::~Scheduler() {
  std::vector<EntryPointer> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = draining_ = true;
    for (auto& [priority, queue] : queues_) left.insert(left.end(), queue.begin(), queue.end());
    queues_.clear();
    waiting_ = 0;
    waiting_tokens_ = 0;
  }
  changed_.notify_all();
  for (const EntryPointer& entry : left) {
    if (entry->next == 0) end(entry, Ending::stopped);
  }
  for (std::thread& thread : threads_) thread.join();
  for (const EntryPointer& entry : left) end(entry, Ending::stopped);  // begun, and cut between two batches
}

void Scheduler::submit(Job job) {
  if (job.sequences.empty()) throw UserError("inputs", "expected at least one sequence, got none");
  for (const TokenSequence& sequence : job.sequences) check_sequence(sequence, engine_.model().config());
  auto entry = std::make_shared<Entry>();
  entry->arrival = Clock::now();
  entry->left = job.sequences.size();
  entry->rows.resize(entry->left);
  entry->job = std::move(job);
  Ending ending = Ending::done;
  {
    const std::lock_guard lock(mutex_);
    if (draining_) {
      ending = Ending::stopped;
    } else if (waiting_ >= options_.queued) {
      ending = Ending::refused;
    } else {
      queues_[entry->job.options.priority].push_back(entry);
      ++waiting_;
      for (const TokenSequence& sequence : entry->job.sequences) waiting_tokens_ += tokens_of(sequence);
    }
    ++unfinished_;
  }
  if (ending != Ending::done) return end(entry, ending);
  changed_.notify_one();
}

void Scheduler::drain() {
  std::unique_lock lock(mutex_);
  draining_ = true;
  idle_.wait(lock, [&] { return unfinished_ == 0; });
}

size_t Scheduler::queued() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

void Scheduler::work() {
  for (;;) {
    std::vector<EntryPointer> dropped;
    std::vector<Piece> batch;
    Ending why = Ending::expired;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || !queues_.empty(); });
      if (stopping_) return;
      batch = take_batch(dropped, why);
      if (!queues_.empty()) changed_.notify_one();
    }
    for (const EntryPointer& entry : dropped) end(entry, why);
    if (!batch.empty()) compute(batch);
  }
}

bool Scheduler::unwanted(const Entry& entry, Ending& why) const {
  const WorkOptions& options = entry.job.options;
  const bool cancelled = options.cancelled && options.cancelled->load(std::memory_order_relaxed);
  why = cancelled ? Ending::cancelled : Ending::expired;
  return entry.ended || cancelled || (entry.next == 0 && Clock::now() >= options.deadline);
}

void Scheduler::pop_first() {
  auto& queue = queues_.begin()->second;
  const Entry& entry = *queue.front();
  for (size_t i = entry.next; i < entry.job.sequences.size(); ++i) waiting_tokens_ -= tokens_of(entry.job.sequences[i]);
  --waiting_;
  queue.pop_front();
  if (queue.empty()) queues_.erase(queues_.begin());
}

/// The pieces of the next batch, or else jobs to be dropped for one reason. The lock is held.
std::vector<Scheduler::Piece> Scheduler::take_batch(std::vector<EntryPointer>& dropped, Ending& why) {
  std::vector<Piece> batch;
  int64_t room = std::min(options_.tokens_per_batch, std::max(kSmallShare, waiting_tokens_ / options_.replicas));
  while (!queues_.empty()) {
    const EntryPointer entry = queues_.begin()->second.front();
    Ending reason;
    if (unwanted(*entry, reason)) {
      if (!batch.empty() || (!dropped.empty() && reason != why)) break;
      why = reason;
      dropped.push_back(entry);
      pop_first();
      continue;
    }
    if (!dropped.empty() || (!batch.empty() && batch.front().entry->job.output != entry->job.output)) break;
    const auto& sequences = entry->job.sequences;
    const size_t begin = entry->next;
    for (; entry->next < sequences.size(); ++entry->next) {
      const int64_t length = tokens_of(sequences[entry->next]);
      const bool is_first = batch.empty() && entry->next == begin;
      if (length > room && !is_first) break;
      room -= length;
      waiting_tokens_ -= length;
    }
    if (entry->next == begin) break;
    if (begin == 0) entry->begun = Clock::now();
    batch.push_back({entry, begin, entry->next});
    if (entry->next < sequences.size()) break;
    pop_first();
  }
  return batch;
}

void Scheduler::compute(const std::vector<Piece>& batch) {
  std::vector<TokenSequence> sequences;
  int64_t tokens = 0;
  for (const Piece& piece : batch) {
    for (size_t i = piece.begin; i < piece.end; ++i) {
      sequences.push_back(piece.entry->job.sequences[i]);
      tokens += tokens_of(sequences.back());
    }
  }
  std::vector<std::vector<float>> rows;
  try {
    rows = engine_.run(sequences, batch.front().entry->job.output);
  } catch (const std::exception& error) {
    // One job must not take its neighbours down: each has another chance alone.
    if (batch.size() == 1) return end(batch.front().entry, Ending::failed, error.what());
    for (const Piece& piece : batch) compute({piece});
    return;
  }
  if (options_.on_batch) options_.on_batch(static_cast<int64_t>(sequences.size()), tokens);
  auto from = rows.begin();
  for (const Piece& piece : batch) {
    const auto to = from + static_cast<std::ptrdiff_t>(piece.end - piece.begin);
    finish(piece, {std::make_move_iterator(from), std::make_move_iterator(to)});
    from = to;
  }
}

void Scheduler::finish(const Piece& piece, std::vector<std::vector<float>> rows) {
  {
    const std::lock_guard lock(mutex_);
    std::ranges::move(rows, piece.entry->rows.begin() + static_cast<std::ptrdiff_t>(piece.begin));
    piece.entry->left -= piece.end - piece.begin;
    if (piece.entry->left > 0) return;
  }
  end(piece.entry, Ending::done);
}

void Scheduler::end(const EntryPointer& entry, Ending ending, std::string message) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(entry->ended, true)) return;
  }
  const auto now = Clock::now();
  const auto begun = entry->begun == Clock::time_point() ? now : entry->begun;
  const Timing timing{.queue_ns = nanoseconds(begun - entry->arrival), .compute_ns = nanoseconds(now - begun)};
  entry->job.on_end({.ending = ending,
                     .message = std::move(message),
                     .rows = ending == Ending::done ? std::move(entry->rows) : std::vector<std::vector<float>>(),
                     .timing = timing});
  entry->job.on_end = nullptr;  // what it holds may go as soon as drain() returns
  const std::lock_guard lock(mutex_);
  if (--unfinished_ == 0) idle_.notify_all();
}

}  // namespace suanli::infer

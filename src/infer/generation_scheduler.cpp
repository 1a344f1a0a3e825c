#include "infer/generation_scheduler.h"

#include <algorithm>
#include <exception>
#include <optional>

#include "base/error.h"
#include "infer/sequence.h"

namespace suanli::infer {

struct GenerationScheduler::Work {
  GenerationRequest request;  ///< its prompt has moved to the sequence
  Sequence sequence;
  Clock::time_point arrival;
  Clock::time_point begun = {}, first_token = {};
  size_t slot = 0;
  size_t taken = 0;                   ///< tokens of the prompt that the slot holds
  std::optional<Ending> ending = {};  ///< none: it waits or runs
  std::string message = {};

  void end(Ending with, std::string why = {}) {
    ending = with;
    message = std::move(why);
  }
  bool has_begun() const { return begun != Clock::time_point(); }
  /// The next `most` tokens of the prompt, or what is left; none when the slot holds all.
  std::span<const int32_t> next_of_prompt(int64_t most) const {
    const auto left = sequence.prompt().subspan(taken);
    return left.first(std::min(left.size(), static_cast<size_t>(most)));
  }
  void end_if_unwanted(Clock::time_point now) {
    const Cancelled& cancelled = request.options.cancelled;
    if (cancelled && cancelled->load(std::memory_order_relaxed)) {
      end(Ending::cancelled);
    } else if (now >= request.options.deadline) {
      end(Ending::expired);
    }
  }
};

namespace {

GenerationSchedulerOptions checked(GenerationSchedulerOptions options, const models::Model& model) {
  const auto demand = [](const char* name, int64_t value) {
    if (value < 1) throw UserError(name, "expected at least 1, got " + std::to_string(value));
  };
  demand("slots", static_cast<int64_t>(options.slots));
  demand("capacity", options.capacity);
  demand("prompt_tokens_per_step", options.prompt_tokens_per_step);
  options.capacity = std::min(options.capacity, model.config().longest_sequence);
  return options;
}

}  // namespace

GenerationScheduler::GenerationScheduler(models::Model model, DType dtype, const GenerationSchedulerOptions& options)
    : model_(std::move(model)),
      options_(checked(options, model_)),
      decoding_(model_, dtype, options_.slots, options_.capacity) {
  for (size_t slot = options_.slots; slot > 0; --slot) free_.push_back(slot - 1);
  thread_ = std::thread([this] { run(); });
}

GenerationScheduler::~GenerationScheduler() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = draining_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void GenerationScheduler::submit(GenerationRequest request) {
  request.config.check();
  if (request.config.num_beams != 1) {
    throw UserError("num_beams",
                    "expected 1 where texts share a batch, got " + std::to_string(request.config.num_beams));
  }
  check_prompt(request.prompt, model_.config());
  const int64_t room = room_after(static_cast<int64_t>(request.prompt.size()), options_.capacity, request.config);
  Sequence sequence(std::move(request.prompt), room, request.config, 0);
  WorkPointer work(new Work{.request = std::move(request), .sequence = std::move(sequence), .arrival = Clock::now()});
  {
    const std::lock_guard lock(mutex_);
    const bool is_full = queue_.size() >= options_.queued + free_.size();
    if (!draining_ && !is_full) {
      const int priority = work->request.options.priority;
      queue_.emplace(priority, std::move(work));
      ++unfinished_;
      changed_.notify_one();
      return;
    }
    work->end(draining_ ? Ending::stopped : Ending::refused);
  }
  report(*work);
}

void GenerationScheduler::drain() {
  std::unique_lock lock(mutex_);
  draining_ = true;
  idle_.wait(lock, [&] { return unfinished_ == 0; });
}

GenerationStats GenerationScheduler::stats() const {
  const std::lock_guard lock(mutex_);
  return {.running = options_.slots - free_.size(),
          .queued = queue_.size(),
          .steps = steps_,
          .prompt_tokens = prompt_tokens_,
          .new_tokens = new_tokens_};
}

void GenerationScheduler::run() {
  while (begin_step()) {
    report_ended();
    if (running_.empty()) continue;
    const std::vector<Piece> pieces = next_pieces();
    compute(pieces);
    end_step(pieces);
    report_ended();
  }
  report_ended();
}

/// Waits until there is something to do; drops what nobody wants and fills the slots. False at the end of all.
bool GenerationScheduler::begin_step() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopping_ || !running_.empty() || !queue_.empty(); });
  drop_unwanted();
  while (!stopping_ && !free_.empty() && !queue_.empty()) {
    WorkPointer work = std::move(queue_.extract(queue_.begin()).mapped());
    work->slot = free_.back();
    work->begun = Clock::now();
    free_.pop_back();
    running_.push_back(std::move(work));
  }
  return !stopping_;
}

/// Of what runs and what waits; all of it at the end. The lock is held.
void GenerationScheduler::drop_unwanted() {
  const auto now = Clock::now();
  const auto is_dropped = [&](Work& work) {
    stopping_ ? work.end(Ending::stopped) : work.end_if_unwanted(now);
    return work.ending.has_value();
  };
  for (WorkPointer& work : running_) {
    if (is_dropped(*work)) release(std::move(work));
  }
  std::erase(running_, nullptr);
  for (auto each = queue_.begin(); each != queue_.end();) {
    if (is_dropped(*each->second)) {
      ended_.push_back(std::move(each->second));
      each = queue_.erase(each);
    } else {
      ++each;
    }
  }
}

/// The token that each chose last, and pieces of prompts within the budget, those first that began first. Where a
/// prompt is cut does not depend on the others.
std::vector<GenerationScheduler::Piece> GenerationScheduler::next_pieces() const {
  std::vector<Piece> pieces;
  int64_t budget = options_.prompt_tokens_per_step;
  for (const WorkPointer& work : running_) {
    const auto piece = work->next_of_prompt(options_.prompt_tokens_per_step);
    const auto size = static_cast<int64_t>(piece.size());
    if (size == 0) {
      pieces.push_back({work.get(), {work->sequence.added().back()}});
    } else if (size <= budget) {
      pieces.push_back({work.get(), {piece.begin(), piece.end()}});
      budget -= size;
    }
  }
  return pieces;
}

void GenerationScheduler::compute(std::span<const Piece> pieces) {
  std::vector<TokenIds> added(options_.slots);
  for (const Piece& piece : pieces) added[piece.work->slot] = piece.tokens;
  std::vector<std::vector<float>> logits;
  try {
    logits = decoding_.step(added);
  } catch (const std::exception& error) {
    // One text must not take its neighbours down: each has another chance alone.
    if (pieces.size() == 1) return pieces.front().work->end(Ending::failed, error.what());
    for (const Piece& piece : pieces) compute({&piece, 1});
    return;
  }
  for (const Piece& piece : pieces) take(piece, logits[piece.work->slot]);
}

void GenerationScheduler::take(const Piece& piece, std::span<float> logits) {
  Work& work = *piece.work;
  if (work.sequence.added().empty()) {
    work.taken += piece.tokens.size();
    if (work.taken < work.sequence.prompt().size()) return;
  }
  try {
    work.sequence.take(logits);
    if (work.sequence.added().size() == 1) work.first_token = Clock::now();
    const auto& on_tokens = work.request.on_tokens;
    if (on_tokens && on_tokens(work.sequence.added().last(1))) work.sequence.stop();
  } catch (const std::exception& error) {
    return work.end(Ending::failed, error.what());
  }
  if (work.sequence.finish() != Finish::none) work.end(Ending::done);
}

void GenerationScheduler::end_step(std::span<const Piece> pieces) {
  const std::lock_guard lock(mutex_);
  ++steps_;
  for (const Piece& piece : pieces) {
    if (piece.work->ending == Ending::failed) continue;
    const auto tokens = static_cast<int64_t>(piece.tokens.size());
    const size_t added = piece.work->sequence.added().size();
    if (added <= 1) prompt_tokens_ += tokens;
    if (added >= 1) ++new_tokens_;
  }
  for (WorkPointer& work : running_) {
    if (work->ending) release(std::move(work));
  }
  std::erase(running_, nullptr);
}

/// Its slot is free, and empty. The lock is held.
void GenerationScheduler::release(WorkPointer work) {
  decoding_.clear(work->slot);
  free_.push_back(work->slot);
  ended_.push_back(std::move(work));
}

void GenerationScheduler::report_ended() {
  if (ended_.empty()) return;
  for (const WorkPointer& work : ended_) report(*work);
  const size_t count = ended_.size();
  ended_.clear();
  const std::lock_guard lock(mutex_);
  unfinished_ -= count;
  if (unfinished_ == 0) idle_.notify_all();
}

void GenerationScheduler::report(const Work& work) {
  const auto between = [](Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count();
  };
  const auto now = Clock::now(), begun = work.has_begun() ? work.begun : now;
  const auto added = static_cast<int64_t>(work.sequence.added().size());
  work.request.on_end({.ending = *work.ending,
                       .finish = *work.ending == Ending::done ? work.sequence.finish() : Finish::none,
                       .message = work.message,
                       .timing = {.queue_ns = between(work.arrival, begun), .compute_ns = between(begun, now)},
                       .first_token_ns = added == 0 ? 0 : between(work.arrival, work.first_token),
                       .prompt_tokens = static_cast<int64_t>(work.sequence.prompt().size()),
                       .new_tokens = added});
}

}  // namespace suanli::infer

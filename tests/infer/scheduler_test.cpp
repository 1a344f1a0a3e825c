// What is put into the queue comes back: whole, in its place, exactly once, and never late.
#include "infer/scheduler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <random>

#include "base/parallel.h"
#include "expect_error.h"
#include "ops/initialize.h"

namespace suanli::infer {
namespace {

Engine tiny_engine() {
  initialize();
  const Json config = {{"model_type", "bert"},          {"vocab_size", 50},         {"hidden_size", 16},
                       {"num_hidden_layers", 2},        {"num_attention_heads", 2}, {"intermediate_size", 32},
                       {"max_position_embeddings", 64}, {"type_vocab_size", 2}};
  return {models::new_model(config, {}), {}};
}

TokenSequence sequence_of(size_t length, int32_t first = 1) {
  TokenSequence out;
  for (size_t i = 0; i < length; ++i) out.ids.push_back((first + static_cast<int32_t>(i)) % 50);
  out.types.assign(length, 0);
  return out;
}

void submit(Scheduler& scheduler, std::vector<TokenSequence> sequences, WorkOptions options,
            std::function<void(JobResult)> on_end) {
  Job job;
  job.sequences = std::move(sequences);
  job.options = std::move(options);
  job.on_end = std::move(on_end);
  scheduler.submit(std::move(job));
}

std::future<JobResult> submit(Scheduler& scheduler, std::vector<TokenSequence> sequences, WorkOptions options = {}) {
  auto promise = std::make_shared<std::promise<JobResult>>();
  submit(scheduler, std::move(sequences), std::move(options),
         [promise](JobResult result) { promise->set_value(std::move(result)); });
  return promise->get_future();
}

/// Holds the scheduler's only thread until it goes: what is submitted meanwhile waits.
class Held {
 public:
  explicit Held(Scheduler& scheduler) {
    auto begun = std::make_shared<std::promise<void>>();
    submit(scheduler, {sequence_of(3)}, {}, [begun, gate = gate_.get_future().share()](JobResult) {
      begun->set_value();
      gate.wait();
    });
    begun->get_future().wait();
  }
  void let_go() { gate_.set_value(); }

 private:
  std::promise<void> gate_;
};

TEST(Scheduler, AnswersOfManyThreadsAreThoseOfTheEngineAlone) {
  const Engine engine = tiny_engine();
  const int before = thread_count();
  for (const int replicas : {1, 2}) {
    set_thread_count(replicas == 1 ? before : 1);
    std::atomic<int64_t> sequences = 0, tokens = 0, most = 0;
    Scheduler scheduler(
        engine,
        {.replicas = replicas, .tokens_per_batch = 300, .queued = 100'000, .on_batch = [&](int64_t s, int64_t t) {
           sequences += s, tokens += t;
           for (int64_t seen = most; seen < t && !most.compare_exchange_weak(seen, t);) {
           }
         }});
    std::atomic<int64_t> sent = 0, sent_tokens = 0;
    std::vector<std::thread> clients;
    for (uint32_t c = 0; c < 4; ++c) {
      clients.emplace_back([&, c] {
        std::mt19937 random(c);
        for (int i = 0; i < 40; ++i) {
          std::vector<TokenSequence> job;
          for (size_t n = 1 + random() % 20; n > 0; --n) job.push_back(sequence_of(1 + random() % 60, random() % 50));
          for (const auto& s : job) ++sent, sent_tokens += static_cast<int64_t>(s.ids.size());
          const JobResult result = submit(scheduler, job).get();
          ASSERT_EQ(result.ending, Ending::done);
          ASSERT_EQ(result.rows.size(), job.size());
          const auto alone = engine.run(std::span(job).last(1), Output::embedding);
          for (size_t h = 0; h < 16; ++h) ASSERT_NEAR(result.rows.back()[h], alone[0][h], 1e-5F);
        }
      });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(sequences, sent);
    EXPECT_EQ(tokens, sent_tokens);
    EXPECT_LE(most, 300);
  }
  set_thread_count(before);
}

TEST(Scheduler, HigherPriorityGoesFirstAndEqualOnesInTheirOrder) {
  Scheduler scheduler(tiny_engine(), {.tokens_per_batch = 4});
  Held held(scheduler);
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::future<void>> ends;
  int number = 0;
  for (const int priority : {0, 5, 0, 5, -1}) {
    auto end = std::make_shared<std::promise<void>>();
    ends.push_back(end->get_future());
    WorkOptions options;
    options.priority = priority;
    submit(scheduler, {sequence_of(4)}, options, [&, end, mine = number++](JobResult) {
      const std::lock_guard lock(mutex);
      order.push_back(mine);
      end->set_value();
    });
  }
  held.let_go();
  for (auto& end : ends) end.wait();
  EXPECT_EQ(order, (std::vector<int>{1, 3, 0, 2, 4}));
}

TEST(Scheduler, AFullQueueRefusesAtOnce) {
  Scheduler scheduler(tiny_engine(), {.queued = 2});
  Held held(scheduler);
  auto first = submit(scheduler, {sequence_of(2)}), second = submit(scheduler, {sequence_of(2)});
  EXPECT_EQ(submit(scheduler, {sequence_of(2)}).get().ending, Ending::refused);
  EXPECT_EQ(scheduler.queued(), 2U);
  held.let_go();
  EXPECT_EQ(first.get().ending, Ending::done);
  EXPECT_EQ(second.get().ending, Ending::done);
}

TEST(Scheduler, ExpiredWorkIsNeverComputed) {
  std::atomic<int64_t> computed = 0;
  Scheduler scheduler(tiny_engine(),
                      {.queued = 20'000, .on_batch = [&](int64_t sequences, int64_t) { computed += sequences; }});
  Held held(scheduler);
  std::vector<std::future<JobResult>> late;
  for (int i = 0; i < 10'000; ++i) {
    late.push_back(submit(scheduler, {sequence_of(2)}, {.deadline = Clock::now() + std::chrono::milliseconds(1)}));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  held.let_go();
  for (auto& job : late) ASSERT_EQ(job.get().ending, Ending::expired);
  EXPECT_EQ(computed, 1) << "only what held the thread";
}

TEST(Scheduler, CancelledWorkIsDroppedAlsoBetweenTwoBatches) {
  std::atomic<int64_t> computed = 0;
  const auto flag = std::make_shared<std::atomic<bool>>(false);
  Scheduler scheduler(tiny_engine(), {.tokens_per_batch = 10, .on_batch = [&](int64_t sequences, int64_t) {
                                        computed += sequences;
                                        if (computed >= 3) *flag = true;  // in the middle of the second job
                                      }});
  Held held(scheduler);
  auto job = submit(scheduler, std::vector<TokenSequence>(100, sequence_of(10)), {.cancelled = flag});
  auto other = submit(scheduler, {sequence_of(10)});
  held.let_go();
  EXPECT_EQ(job.get().ending, Ending::cancelled);
  EXPECT_EQ(other.get().ending, Ending::done);
  EXPECT_EQ(computed, 4) << "the one that held, two of the hundred, the other";
  EXPECT_EQ(scheduler.queued(), 0U);
}

TEST(Scheduler, DrainingEndsWhatWasTakenAndTakesNoMore) {
  Scheduler scheduler(tiny_engine(), {.tokens_per_batch = 8});
  std::vector<std::future<JobResult>> jobs;
  for (int i = 0; i < 50; ++i) jobs.push_back(submit(scheduler, {sequence_of(8)}));
  scheduler.drain();
  for (auto& job : jobs) {
    ASSERT_EQ(job.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_EQ(job.get().ending, Ending::done);
  }
  EXPECT_EQ(submit(scheduler, {sequence_of(2)}).get().ending, Ending::stopped);
}

TEST(Scheduler, AfterDrainingNothingIsLeftOfWhatTheJobsHeld) {
  struct Slow {
    explicit Slow(std::atomic<bool>& flag) : gone(flag) {}
    ~Slow() {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      gone = true;
    }
    std::atomic<bool>& gone;
  };
  std::atomic<bool> gone = false;
  Scheduler scheduler(tiny_engine(), {});
  submit(scheduler, {sequence_of(3)}, {}, [held = std::make_shared<Slow>(gone)](JobResult) {});
  scheduler.drain();
  EXPECT_TRUE(gone) << "a server lets its threads go as soon as its models are drained";
}

TEST(Scheduler, AnEndingSchedulerAnswersAll) {
  std::vector<std::future<JobResult>> jobs;
  {
    Scheduler scheduler(tiny_engine(), {.tokens_per_batch = 8});
    for (int i = 0; i < 200; ++i) jobs.push_back(submit(scheduler, {sequence_of(8), sequence_of(8)}));
  }
  int stopped = 0;
  for (auto& job : jobs) stopped += job.get().ending == Ending::stopped;
  EXPECT_GT(stopped, 0);
}

TEST(Scheduler, WhatTheModelCannotTakeIsRefusedBeforeItIsQueued) {
  Scheduler scheduler(tiny_engine(), {});
  const auto expect = [&](std::vector<TokenSequence> sequences, const char* text) {
    EXPECT_NE(error_of([&] { submit(scheduler, std::move(sequences)); }).find(text), std::string::npos) << text;
  };
  expect({}, "expected at least one sequence");
  expect({{}}, "expected 1 to 64 tokens, got 0");
  expect({sequence_of(65)}, "expected 1 to 64 tokens, got 65");
  expect({{.ids = {50}, .types = {0}}}, "expected token ids in 0..49, got 50");
  expect({{.ids = {-1}, .types = {0}}}, "got -1");
  expect({{.ids = {1}, .types = {2}}}, "expected token types in 0..1, got 2");
  EXPECT_EQ(submit(scheduler, {sequence_of(2)}).get().ending, Ending::done);
}

}  // namespace
}  // namespace suanli::infer

/// Every request of a scheduler of texts ends once, as it should, and leaves its slot.
#include <gtest/gtest.h>

#include "base/random.h"
#include "infer/watched_network.h"

namespace suanli::infer {
namespace {

using std::chrono::milliseconds;

GenerationRequest writing(TokenIds prompt, int64_t new_tokens, WorkOptions options = {}) {
  return {.prompt = std::move(prompt), .config = {.max_new_tokens = new_tokens}, .options = options, .on_end = {}};
}

/// Nothing runs or waits, and every slot takes a text.
void expect_all_slots_free(GenerationScheduler& scheduler, Watch& watch, size_t slots) {
  wait_until([&] { return scheduler.stats().running + scheduler.stats().queued == 0; });
  watch.close();
  std::vector<std::future<Answer>> answers;
  for (size_t i = 0; i < slots; ++i) answers.push_back(submit(scheduler, writing({9}, 2)));
  watch.open();
  for (auto& answer : answers) EXPECT_EQ(answer.get().end.ending, Ending::done);
  size_t widest = 0;
  for (const TokenIds& pass : watch.passes()) widest = std::max(widest, pass.size());
  EXPECT_GE(widest, slots);
}

TEST(GenerationEnding, AFullQueueRefusesAtOnce) {
  const auto watch = std::make_shared<Watch>();
  const auto scheduler = small_scheduler("llama", {.slots = 1, .queued = 2}, watch);
  watch->close();
  std::vector<std::future<Answer>> taken;
  for (int i = 0; i < 3; ++i) taken.push_back(submit(*scheduler, writing({9}, 2)));
  auto refused = submit(*scheduler, writing({9}, 2, {.priority = 9}));
  ASSERT_EQ(refused.wait_for(milliseconds(0)), std::future_status::ready);
  EXPECT_EQ(refused.get().end.ending, Ending::refused);
  wait_until([&] { return scheduler->stats().running == 1; });
  EXPECT_EQ(scheduler->stats().queued, 2U);
  watch->open();
  for (auto& answer : taken) EXPECT_EQ(answer.get().end.ending, Ending::done);
}

TEST(GenerationEnding, OfTenThousandThatAreLateNoneIsComputed) {
  const auto watch = std::make_shared<Watch>();
  const auto scheduler = small_scheduler("llama", {.queued = 10000}, watch);
  std::vector<std::future<Answer>> answers;
  const WorkOptions late = {.deadline = Clock::now() - milliseconds(1)};
  for (int i = 0; i < 10000; ++i) answers.push_back(submit(*scheduler, writing({9}, 2, late)));
  for (auto& answer : answers) {
    const Answer got = answer.get();
    EXPECT_EQ(got.end.ending, Ending::expired);
    EXPECT_EQ(got.end.timing.compute_ns, 0);
  }
  EXPECT_TRUE(watch->passes().empty());
  EXPECT_EQ(scheduler->stats().steps, 0);
}

TEST(GenerationEnding, ADeadlineEndsWhatWaitsAndWhatIsWritten) {
  const auto watch = std::make_shared<Watch>();
  const auto scheduler = small_scheduler("llama", {.slots = 1}, watch);
  const WorkOptions soon = {.deadline = Clock::now() + milliseconds(300)};
  GenerationRequest first = writing({9}, 20, soon);
  int tokens = 0;
  first.on_tokens = [&](auto) {
    if (++tokens == 2) std::this_thread::sleep_until(soon.deadline);
    return false;
  };
  auto written = submit(*scheduler, first), waiting = submit(*scheduler, writing({10}, 2, soon));
  const Answer answer = written.get();
  EXPECT_EQ(answer.end.ending, Ending::expired);
  EXPECT_EQ(answer.end.finish, Finish::none);
  EXPECT_EQ(answer.tokens.size(), 2U) << "no token behind the deadline";
  EXPECT_EQ(waiting.get().end.ending, Ending::expired);
  for (const TokenIds& pass : watch->passes()) EXPECT_NE(pass.front(), 10) << "never begun";
  expect_all_slots_free(*scheduler, *watch, 1);
}

TEST(GenerationEnding, ACancelledTextGivesItsSlotToTheNextStep) {
  for (const int cancelled_at : {1, 3}) {
    const auto watch = std::make_shared<Watch>();
    const auto scheduler = small_scheduler("llama", {.slots = 1}, watch);
    const auto flag = std::make_shared<std::atomic<bool>>(false);
    watch->close();
    GenerationRequest first = writing({9}, 20, {.cancelled = flag});
    int tokens = 0;
    first.on_tokens = [&](auto) {
      if (++tokens == cancelled_at) *flag = true;
      return false;
    };
    auto cancelled = submit(*scheduler, first), next = submit(*scheduler, writing({10, 11}, 1));
    watch->open();
    const Answer answer = cancelled.get();
    EXPECT_EQ(answer.end.ending, Ending::cancelled);
    EXPECT_EQ(answer.tokens.size(), static_cast<size_t>(cancelled_at));
    EXPECT_EQ(next.get().end.ending, Ending::done);
    const auto passes = watch->passes();
    ASSERT_EQ(passes.size(), static_cast<size_t>(cancelled_at) + 1);
    EXPECT_EQ(passes.back(), (TokenIds{10, 11}));
  }
}

TEST(GenerationEnding, CancellingReachesWaitingTextsAndThoseWithinTheirPrompt) {
  const auto watch = std::make_shared<Watch>();
  const auto scheduler = small_scheduler("llama", {.slots = 1, .prompt_tokens_per_step = 4}, watch);
  const auto within = std::make_shared<std::atomic<bool>>(false), waits = std::make_shared<std::atomic<bool>>(true);
  watch->before = [&](size_t pass) {
    if (pass == 1) *within = true;
  };
  auto first = submit(*scheduler, writing(TokenIds(40, 9), 5, {.cancelled = within}));
  auto second = submit(*scheduler, writing({10}, 5, {.cancelled = waits}));
  for (auto* answer : {&first, &second}) {
    const Answer got = answer->get();
    EXPECT_EQ(got.end.ending, Ending::cancelled);
    EXPECT_TRUE(got.tokens.empty());
    EXPECT_EQ(got.end.first_token_ns, 0);
  }
  EXPECT_EQ(watch->passes().size(), 2U) << "two pieces of ten";
}

TEST(GenerationEnding, AThousandCancelsLeaveNoSlotTaken) {
  const auto watch = std::make_shared<Watch>();
  const auto scheduler = small_scheduler("llama", {.slots = 4, .queued = 1000}, watch);
  std::vector<std::shared_ptr<std::atomic<bool>>> flags;
  std::vector<std::future<Answer>> answers;
  RandomGenerator random({.seed = 21});
  for (int i = 0; i < 1000; ++i) {
    flags.push_back(std::make_shared<std::atomic<bool>>(false));
    const TokenIds prompt(1 + random.below(30), static_cast<int32_t>(random.below(60)));
    answers.push_back(submit(*scheduler, writing(prompt, 30, {.cancelled = flags.back()})));
    if (i % 3 == 0) *flags[random.below(flags.size())] = true;
    if (i % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  for (const auto& flag : flags) *flag = true;
  size_t cancelled = 0;
  for (auto& answer : answers) {
    const Ending ending = answer.get().end.ending;
    EXPECT_TRUE(ending == Ending::cancelled || ending == Ending::done);
    if (ending == Ending::cancelled) ++cancelled;
  }
  EXPECT_GT(cancelled, 500U);
  expect_all_slots_free(*scheduler, *watch, 4);
}

// The poisoned pass throws when the cache has taken all new tokens: the neighbours' second try must not take them
// twice.
TEST(GenerationEnding, AFailureEndsItsTextAlone) {
  const Generator generator(small_writer("llama"), DType::f32);
  const auto watch = std::make_shared<Watch>();
  const auto scheduler = small_scheduler("llama", {}, watch);
  watch->poison = 5;
  watch->close();
  const TokenIds good[] = {{9, 10}, {11, 12, 13}};
  std::vector<std::future<Answer>> answers;
  answers.push_back(submit(*scheduler, writing(good[0], 12)));
  wait_until([&] { return scheduler->stats().running == 1; });
  answers.push_back(submit(*scheduler, writing(good[1], 12)));
  auto failed = submit(*scheduler, writing({9, 5}, 12));
  watch->open();
  const Answer failure = failed.get();
  EXPECT_EQ(failure.end.ending, Ending::failed);
  EXPECT_EQ(failure.end.message, "poisoned");
  EXPECT_TRUE(failure.tokens.empty());
  for (size_t i = 0; i < 2; ++i) {
    const TokenIds expected = alone(generator, good[i], {.max_new_tokens = 12});
    ASSERT_EQ(std::ranges::count(expected, 5), 0);
    EXPECT_EQ(answers[i].get().tokens, expected);
  }
  expect_all_slots_free(*scheduler, *watch, 8);
}

TEST(GenerationEnding, AnExceptionOfACallbackEndsItsTextAlone) {
  const auto scheduler = small_scheduler("llama");
  GenerationRequest request = writing({9}, 5);
  request.on_tokens = [](auto) -> bool { throw std::runtime_error("no room for text"); };
  auto failed = submit(*scheduler, request), other = submit(*scheduler, writing({10}, 5));
  const Answer failure = failed.get();
  EXPECT_EQ(failure.end.ending, Ending::failed);
  EXPECT_EQ(failure.end.message, "no room for text");
  EXPECT_EQ(other.get().tokens.size(), 5U);
}

TEST(GenerationEnding, DestructionStopsWhatIsUnderWay) {
  const auto watch = std::make_shared<Watch>();
  auto scheduler = small_scheduler("llama", {.slots = 2}, watch);
  std::promise<void> begun;
  watch->before = [&](size_t pass) {
    if (pass == 2) {
      begun.set_value();
      std::this_thread::sleep_for(milliseconds(50));  // the end comes within a step
    }
  };
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 5; ++i) answers.push_back(submit(*scheduler, writing({9, 10}, 40)));
  begun.get_future().wait();
  scheduler.reset();
  size_t written = 0;
  for (auto& answer : answers) {
    ASSERT_EQ(answer.wait_for(milliseconds(0)), std::future_status::ready);
    const Answer got = answer.get();
    EXPECT_EQ(got.end.ending, Ending::stopped);
    written += got.tokens.empty() ? 0 : 1;
  }
  EXPECT_GE(written, 1U);
}

TEST(GenerationEnding, DrainEndsAllThatWasTakenAndTakesNoMore) {
  const auto scheduler = small_scheduler("llama", {.slots = 2});
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(submit(*scheduler, writing({9, 10}, 10)));
  scheduler->drain();
  for (auto& answer : answers) {
    ASSERT_EQ(answer.wait_for(milliseconds(0)), std::future_status::ready);
    const Answer got = answer.get();
    EXPECT_EQ(got.end.ending, Ending::done);
    EXPECT_EQ(got.tokens.size(), 10U);
  }
  EXPECT_EQ(submit(*scheduler, writing({9}, 1)).get().end.ending, Ending::stopped);
}

}  // namespace
}  // namespace suanli::infer

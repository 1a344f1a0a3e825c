/// Texts that share a batch are those that each would be alone, and take their turns as they should.
#include "infer/generation_scheduler.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "expect_error.h"
#include "infer/watched_network.h"

namespace suanli::infer {
namespace {

TokenIds random_prompt(RandomGenerator& random, uint64_t longest) {
  TokenIds prompt(1 + random.below(longest));
  for (int32_t& id : prompt) id = static_cast<int32_t>(random.below(60));
  return prompt;
}

/// Greedy, with a penalty, or sampled.
GenerationConfig random_config(RandomGenerator& random) {
  GenerationConfig config = {.max_new_tokens = static_cast<int64_t>(1 + random.below(20)), .eos_token_id = {7}};
  config.do_sample = random.below(2) == 1;
  config.seed = random.next();
  if (random.below(3) == 0) config.repetition_penalty = 1.3;
  if (random.below(3) == 0) config.top_p = 0.9;
  return config;
}

class SharedBatch : public testing::TestWithParam<const char*> {};

TEST_P(SharedBatch, TokensAreThoseOfEachTextAloneFromFourThreadsAtRandomMoments) {
  const auto scheduler = small_scheduler(GetParam(), {.slots = 3, .prompt_tokens_per_step = 16});
  const Generator generator(small_writer(GetParam()), DType::f32);
  constexpr size_t kThreads = 4, kEach = 30;
  std::vector<GenerationRequest> requests(kThreads * kEach);
  std::vector<std::future<Answer>> answers(requests.size());
  RandomGenerator random({.seed = 11});
  for (GenerationRequest& request : requests) {
    request = {.prompt = random_prompt(random, 40), .config = random_config(random), .on_end = {}};
    request.options.priority = static_cast<int>(random.below(3));
  }
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      RandomGenerator moments({.seed = 12, .site = static_cast<uint32_t>(thread)});
      for (size_t i = thread; i < requests.size(); i += kThreads) {
        std::this_thread::sleep_for(std::chrono::microseconds(moments.below(2000)));
        answers[i] = submit(*scheduler, requests[i]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int64_t prompt_tokens = 0, new_tokens = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    const Answer answer = answers[i].get();
    const TokenIds expected = alone(generator, requests[i].prompt, requests[i].config);
    EXPECT_EQ(answer.tokens, expected) << i;
    EXPECT_EQ(answer.end.ending, Ending::done) << answer.end.message;
    EXPECT_EQ(answer.end.finish, expected.back() == 7 ? Finish::stop : Finish::length);
    EXPECT_EQ(answer.end.prompt_tokens, static_cast<int64_t>(requests[i].prompt.size()));
    EXPECT_EQ(answer.end.new_tokens, static_cast<int64_t>(expected.size()));
    EXPECT_LE(answer.end.timing.queue_ns, answer.end.first_token_ns);
    EXPECT_LE(answer.end.first_token_ns, answer.end.timing.queue_ns + answer.end.timing.compute_ns);
    prompt_tokens += answer.end.prompt_tokens;
    new_tokens += answer.end.new_tokens;
  }
  const GenerationStats stats = scheduler->stats();
  EXPECT_EQ(stats.running + stats.queued, 0U);
  EXPECT_EQ(stats.prompt_tokens, prompt_tokens);
  EXPECT_EQ(stats.new_tokens, new_tokens);
  EXPECT_LT(stats.steps, prompt_tokens + new_tokens) << "steps are shared";
}

TEST_P(SharedBatch, PromptsTakenInPiecesGiveTheSameTokens) {
  const Generator generator(small_writer(GetParam()), DType::f32);
  RandomGenerator random({.seed = 13});
  const TokenIds prompt = random_prompt(random, 1), longer(41, prompt.front());
  for (const int64_t piece : {1, 3, 40, 41, 512}) {
    const auto scheduler = small_scheduler(GetParam(), {.prompt_tokens_per_step = piece});
    for (const bool sampled : {false, true}) {
      const GenerationConfig config = {.max_new_tokens = 12, .do_sample = sampled};
      const Answer answer = submit(*scheduler, {.prompt = longer, .config = config, .on_end = {}}).get();
      EXPECT_EQ(answer.tokens, alone(generator, longer, config)) << piece;
    }
  }
}

// What an earlier text left in the slot would be read as the beginning of the next one.
TEST_P(SharedBatch, AUsedSlotGivesTheTokensOfAFreshOne) {
  const TokenIds first(50, 31), second = {9, 10, 11};
  const GenerationConfig config = {.max_new_tokens = 14};
  const auto used = small_scheduler(GetParam(), {.slots = 1}), fresh = small_scheduler(GetParam(), {.slots = 1});
  submit(*used, {.prompt = first, .config = config, .on_end = {}}).get();
  EXPECT_EQ(submit(*used, {.prompt = second, .config = config, .on_end = {}}).get().tokens,
            submit(*fresh, {.prompt = second, .config = config, .on_end = {}}).get().tokens);
}
INSTANTIATE_TEST_SUITE_P(Models, SharedBatch, testing::Values("gpt2", "llama"));

TEST(GenerationScheduler, ALongPromptLeavesRoomForThoseThatWrite) {
  const auto watch = std::make_shared<Watch>();
  const auto scheduler = small_scheduler("llama", {.prompt_tokens_per_step = 4}, watch);
  std::future<Answer> second;
  const auto first =
      submit(*scheduler, {.prompt = {9},
                          .config = {.max_new_tokens = 20},
                          .on_tokens =
                              [&](auto) {
                                if (second.valid()) return false;
                                second =
                                    submit(*scheduler,
                                           {.prompt = TokenIds(40, 10), .config = {.max_new_tokens = 1}, .on_end = {}});
                                return false;
                              },
                          .on_end = {}})
          .get();
  second.get();
  const auto passes = watch->passes();
  ASSERT_EQ(passes.size(), 20U) << "40 tokens in pieces of 4, in the steps of the first text";
  for (size_t i = 1; i <= 10; ++i) EXPECT_EQ(passes[i].size(), 5U) << i;
  EXPECT_EQ(passes[11].size(), 1U);
}

TEST(GenerationScheduler, PromptsOfAStepShareItsBudgetAndAreCutWhereTheyWouldBeAlone) {
  const auto watch = std::make_shared<Watch>();
  const auto scheduler = small_scheduler("llama", {.prompt_tokens_per_step = 6}, watch);
  watch->close();
  std::vector<std::future<Answer>> answers;
  for (const size_t length : {1, 8, 5, 1}) {  // the first holds up the others until all are there
    const TokenIds prompt(length, static_cast<int32_t>(10 + answers.size()));
    answers.push_back(submit(*scheduler, {.prompt = prompt, .config = {.max_new_tokens = 1}, .on_end = {}}));
    wait_until([&] { return scheduler->stats().running == 1; });
  }
  watch->open();
  for (auto& answer : answers) answer.get();
  EXPECT_EQ(watch->passes(),
            (std::vector<TokenIds>{{10}, {11, 11, 11, 11, 11, 11}, {11, 11, 13}, {12, 12, 12, 12, 12}}));
}

TEST(GenerationScheduler, SlotsGoByPriorityThenArrival) {
  const auto watch = std::make_shared<Watch>();
  const auto scheduler = small_scheduler("llama", {.slots = 1}, watch);
  watch->close();
  std::vector<std::future<Answer>> answers;
  std::vector<int32_t> order;
  const std::pair<int32_t, int> kRequests[] = {{20, 0}, {21, 0}, {22, 5}, {23, -1}, {24, 5}, {25, 0}};
  for (const auto& [id, priority] : kRequests) {
    answers.push_back(submit(*scheduler, {.prompt = {id},
                                          .config = {.max_new_tokens = 1},
                                          .options = {.priority = priority},
                                          .on_tokens =
                                              [&, id = id](auto) {
                                                order.push_back(id);
                                                return false;
                                              },
                                          .on_end = {}}));
    wait_until([&] { return scheduler->stats().running == 1; });  // the first is computed first
  }
  watch->open();
  for (auto& answer : answers) answer.get();
  EXPECT_EQ(order, (std::vector<int32_t>{20, 22, 24, 21, 25, 23}));
}

TEST(GenerationScheduler, AStopOfTheCallerEndsATextAsStopped) {
  const auto scheduler = small_scheduler("llama");
  const GenerationConfig config = {.max_new_tokens = 10};
  int count = 0;
  const Answer answer =
      submit(*scheduler,
             {.prompt = {9, 10}, .config = config, .on_tokens = [&](auto) { return ++count == 3; }, .on_end = {}})
          .get();
  EXPECT_EQ(answer.tokens.size(), 3U);
  EXPECT_EQ(answer.end.ending, Ending::done);
  EXPECT_EQ(answer.end.finish, Finish::stop);
}

TEST(GenerationScheduler, ATextEndsWhereItsSlotEnds) {
  const auto scheduler = small_scheduler("llama", {.capacity = 10});
  const auto request = [](size_t length) {
    return GenerationRequest{.prompt = TokenIds(length, 9), .config = {.max_new_tokens = 30}, .on_end = {}};
  };
  const Answer answer = submit(*scheduler, request(6)).get();
  EXPECT_EQ(answer.tokens.size(), 4U);
  EXPECT_EQ(answer.end.finish, Finish::length);
  EXPECT_EQ(submit(*scheduler, request(9)).get().tokens.size(), 1U);
  EXPECT_NE(error_of([&] { submit(*scheduler, request(10)); }).find("shorter than the 10"), std::string::npos);
  const auto positions = small_scheduler("llama", {.capacity = 1000});
  EXPECT_NE(error_of([&] { submit(*positions, request(64)); }).find("shorter than the 64"), std::string::npos);
}

TEST(GenerationScheduler, BadInputIsTheUsersErrorAndTakesNothing) {
  const auto scheduler = small_scheduler("gpt2");
  for (const TokenIds& prompt : {TokenIds{}, TokenIds{60}, TokenIds{-1}}) {
    EXPECT_THROW(submit(*scheduler, {.prompt = prompt, .on_end = {}}), UserError);
  }
  for (const GenerationConfig& config : {GenerationConfig{.max_new_tokens = 0}, GenerationConfig{.num_beams = 2}}) {
    EXPECT_THROW(submit(*scheduler, {.prompt = {9}, .config = config, .on_end = {}}), UserError);
  }
  EXPECT_EQ(scheduler->stats().running + scheduler->stats().queued, 0U);
  for (const GenerationSchedulerOptions& options :
       {GenerationSchedulerOptions{.slots = 0}, GenerationSchedulerOptions{.capacity = 0},
        GenerationSchedulerOptions{.prompt_tokens_per_step = 0}}) {
    EXPECT_THROW(small_scheduler("gpt2", options), UserError);
  }
}

}  // namespace
}  // namespace suanli::infer

/// A language model whose passes a test sees, holds up or makes fail, and the answers of a scheduler over it.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <stdexcept>

#include "device.h"
#include "infer/generation_scheduler.h"
#include "ops/initialize.h"

namespace suanli::infer {

/// Shared by a test and its network.
class Watch {
 public:
  std::atomic<int32_t> poison = -1;              ///< a pass over this token throws, when all is computed
  std::function<void(size_t pass)> before = {};  ///< on the thread that computes; set before there is work

  void close() { set_open(false); }
  void open() { set_open(true); }
  /// The token ids of each pass.
  std::vector<TokenIds> passes() const {
    const std::lock_guard lock(mutex_);
    return passes_;
  }
  void pass(TokenIds ids) {
    std::unique_lock lock(mutex_);
    passes_.push_back(std::move(ids));
    const size_t index = passes_.size() - 1;
    opened_.wait(lock, [&] { return open_; });
    lock.unlock();
    if (before) before(index);
  }

 private:
  void set_open(bool open) {
    {
      const std::lock_guard lock(mutex_);
      open_ = open;
    }
    opened_.notify_all();
  }
  mutable std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = true;
  std::vector<TokenIds> passes_;
};

class WatchedNetwork : public models::Network {
 public:
  WatchedNetwork(std::unique_ptr<models::Network> network, std::shared_ptr<Watch> watch)
      : network_(std::move(network)), watch_(std::move(watch)) {}
  Tensor next_token_logits(const models::PackedSequences& sequences, const Tensor& rows, const nn::Mode& mode,
                           models::TokenCache* cache) const override {
    const auto ids = sequences.ids.host<int32_t>();
    watch_->pass({ids.begin(), ids.end()});
    const Tensor logits = network_->next_token_logits(sequences, rows, mode, cache);
    if (std::ranges::count(ids, watch_->poison.load()) > 0) throw std::runtime_error("poisoned");
    return logits;
  }
  models::TokenCache new_cache(int64_t sequences, int64_t capacity, DType dtype) const override {
    return network_->new_cache(sequences, capacity, dtype);
  }

 private:
  std::unique_ptr<models::Network> network_;
  std::shared_ptr<Watch> watch_;
};

/// The small model of tests/golden: 60 tokens, 64 positions.
inline models::Model small_writer(const char* family, std::shared_ptr<Watch> watch = {}) {
  initialize();
  models::Model model =
      models::load_model(std::filesystem::path(SUANLI_TESTS_DIR) / "golden/models" / family / "causal-lm",
                         {.head = models::Head::causal_lm, .device = test_device()});
  if (watch) model.network = std::make_unique<WatchedNetwork>(std::move(model.network), std::move(watch));
  return model;
}

inline std::unique_ptr<GenerationScheduler> small_scheduler(const char* family, GenerationSchedulerOptions options = {},
                                                            std::shared_ptr<Watch> watch = {}) {
  return std::make_unique<GenerationScheduler>(small_writer(family, std::move(watch)), DType::f32, options);
}

/// What Generator gives for one prompt alone.
inline TokenIds alone(const Generator& generator, const TokenIds& prompt, const GenerationConfig& config) {
  return generator.generate(std::vector<TokenIds>{prompt}, config).front();
}

struct Answer {
  TokenIds tokens = {};
  GenerationEnd end = {};
};

/// The answer when it has ended. A second end is an exception on the scheduler's thread, none breaks the promise.
inline std::future<Answer> submit(GenerationScheduler& scheduler, GenerationRequest request) {
  struct State {
    Answer answer;
    std::promise<Answer> promise;
  };
  const auto state = std::make_shared<State>();
  request.on_tokens = [state, inner = request.on_tokens](std::span<const int32_t> added) {
    state->answer.tokens.insert(state->answer.tokens.end(), added.begin(), added.end());
    return inner && inner(added);
  };
  request.on_end = [state](const GenerationEnd& end) {
    state->answer.end = end;
    state->promise.set_value(state->answer);
  };
  std::future<Answer> answer = state->promise.get_future();
  scheduler.submit(std::move(request));
  return answer;
}

/// Waits for what another thread does soon; a minute at most.
template <class Condition>
void wait_until(const Condition& holds) {
  for (int i = 0; i < 60000 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_TRUE(holds());
}

}  // namespace suanli::infer

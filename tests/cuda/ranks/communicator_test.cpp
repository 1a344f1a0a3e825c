// Communicator over NCCL's stand-in: what it computes, in which order, and how it ends. Each rank is a process.
#include "dist/communicator.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "base/concat.h"
#include "base/error.h"
#include "dist/free_port.h"
#include "ops/initialize.h"

namespace suanli::dist {
namespace {

constexpr Device kCuda = {DeviceType::cuda, 0};

/// What `work` gives, or the error that it throws, for each rank.
std::vector<std::string> as_processes(int size, const std::function<std::string(Communicator&)>& work) {
  const int port = free_port();
  std::vector<int> pipes;
  for (int rank = 0; rank < size; ++rank) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    if (fork() == 0) {
      std::string result;
      try {
        initialize();
        HostGroup group({.rank = rank, .local_rank = rank, .size = size, .port = port}, {});
        const auto ranks = make_communicator(group, kCuda);
        ranks->gather(std::vector<int64_t>{0});  // all have one before the first ends
        result = work(*ranks);
      } catch (const Error& error) {
        result = error.what();
      }
      const bool written = write(ends[1], result.data(), result.size()) == static_cast<ssize_t>(result.size());
      _exit(written ? 0 : 1);
    }
    close(ends[1]);
    pipes.push_back(ends[0]);
  }
  std::vector<std::string> results;
  for (const int from : pipes) {
    std::string& result = results.emplace_back();
    char bytes[4096];
    for (ssize_t got = 0; (got = read(from, bytes, sizeof bytes)) > 0;) result.append(bytes, static_cast<size_t>(got));
    close(from);
    EXPECT_GT(wait(nullptr), 0);
  }
  return results;
}

Tensor on_device(const std::vector<float>& values) {
  const Tensor device = Tensor::empty({static_cast<int64_t>(values.size())}, DType::f32, kCuda);
  device.copy_from(Tensor::from(values, device.shape()));
  return device;
}

std::string text_of(const Tensor& tensor) {
  const Tensor host = tensor.to({});
  std::string text;
  for (const float value : host.host<float>()) text += concat(value, " ");
  return text;
}

TEST(Communicator, SumsAndBroadcastsManyTensorsInTheirPlaces) {
  const auto results = as_processes(3, [](Communicator& ranks) {
    const auto rank = static_cast<float>(ranks.rank());
    std::vector<Tensor> some = {on_device({rank, 1}), on_device({10 * rank}),
                                on_device(std::vector<float>(40000, rank))};
    ranks.sum(some);
    ranks.broadcast(std::vector<Tensor>{some.emplace_back(on_device({rank + 7}))});
    ranks.join();
    ranks.wait();
    ranks.gather(std::vector<int64_t>{0});  // none leaves before all are done
    const Tensor host = some[2].to({});
    const auto long_one = host.host<float>();
    EXPECT_EQ(std::count(long_one.begin(), long_one.end(), 3.0F), 40000) << "longer than a place of the stand-in";
    return text_of(some[0]) + text_of(some[1]) + text_of(some[3]);
  });
  for (const std::string& result : results) EXPECT_EQ(result, "3 3 30 7 ");
}

// bf16 holds 8 bits: 256 + 1 + 1 is 258 where the sum is taken in f32 and rounded once, and 256 where after each term.
TEST(Communicator, SumsOfBf16AreRoundedOnce) {
  const auto results = as_processes(3, [](Communicator& ranks) {
    Tensor host = Tensor::empty({1}, DType::bf16);
    host.host<bfloat16>()[0] = bfloat16(ranks.rank() == 0 ? 256.0F : 1.0F);
    const Tensor value = host.to(kCuda);
    ranks.sum({&value, 1});
    ranks.join();
    ranks.wait();
    ranks.gather(std::vector<int64_t>{0});  // none leaves before all are done
    const Tensor back = value.to({});
    return concat(static_cast<float>(back.host<bfloat16>()[0]));
  });
  for (const std::string& result : results) EXPECT_EQ(result, "258");
}

// The device still waits for the rank that has gone.
TEST(Communicator, ARankThatEndsEndsTheWaitOfTheOthers) {
  const auto start = std::chrono::steady_clock::now();
  const auto results = as_processes(2, [](Communicator& ranks) -> std::string {
    const Tensor value = on_device({1});
    if (ranks.rank() == 1) return "gone";
    ranks.sum({&value, 1});
    ranks.wait();
    return "summed";
  });
  EXPECT_NE(results[0].find("[dist] rank 1 has ended"), std::string::npos) << results[0];
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Communicator, RanksThatSumDifferentTensorsAreAnError) {
  for (const bool other_size : {true, false}) {
    const auto results = as_processes(2, [&](Communicator& ranks) -> std::string {
      const bool odd = ranks.rank() == 1;
      const Tensor value =
          Tensor::zeros({odd && other_size ? 3 : 2}, odd && !other_size ? DType::bf16 : DType::f32, kCuda);
      ranks.sum({&value, 1});
      ranks.wait();
      return "summed";
    });
    for (const std::string& result : results) {
      const bool of_library = result.find("[nccl] an earlier call failed on rank ") != std::string::npos;
      EXPECT_TRUE(of_library || result.find("has ended") != std::string::npos) << result;
    }
  }
}

TEST(Communicator, AfterAnErrorNothingIsQueued) {
  const auto results = as_processes(2, [](Communicator& ranks) -> std::string {
    const Tensor value = on_device({1});
    if (ranks.rank() == 1) return "gone";
    try {
      ranks.sum({&value, 1});
      ranks.wait();
    } catch (const EnvironmentError&) {
    }
    ranks.sum({&value, 1});
    return "summed";
  });
  EXPECT_NE(results[0].find("[nccl] rank 0 has left the others after an error"), std::string::npos) << results[0];
}

}  // namespace
}  // namespace suanli::dist

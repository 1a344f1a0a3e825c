// Processes that meet, exchange numbers and notice an end; here each is a thread.
#include "dist/host_group.h"

#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.h"
#include "dist/free_port.h"

namespace suanli::dist {
namespace {

using std::chrono::milliseconds;

constexpr Patience kShort = {.meeting = milliseconds(600), .answer = milliseconds(600)};

/// Runs `work` as each of `ranks`; what each threw, or "".
std::vector<std::string> as_ranks(int size, const std::vector<int>& ranks, Patience patience,
                                  const std::function<void(HostGroup&)>& work) {
  const int port = free_port();
  std::vector<std::string> errors(ranks.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < ranks.size(); ++i) {
    threads.emplace_back([&, i] {
      try {
        HostGroup group({.rank = ranks[i], .local_rank = ranks[i], .size = size, .port = port}, patience);
        work(group);
      } catch (const EnvironmentError& error) {
        errors[i] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return errors;
}

TEST(HostGroup, GatherGivesAllNumbersToAll) {
  const auto errors = as_ranks(4, {2, 0, 3, 1}, {}, [](HostGroup& group) {
    for (int64_t round = 0; round < 200; ++round) {
      const std::vector<int64_t> mine = {group.rank() * 10 + round, -group.rank()};
      const std::vector<int64_t> all = group.gather(mine);
      ASSERT_EQ(all, (std::vector<int64_t>{round, 0, 10 + round, -1, 20 + round, -2, 30 + round, -3}));
    }
  });
  for (const std::string& error : errors) EXPECT_EQ(error, "");
}

TEST(HostGroup, WhoIsMissingIsNamedToAllWhoCame) {
  const auto errors = as_ranks(4, {0, 2}, kShort, [](HostGroup&) {});
  for (const std::string& error : errors) {
    EXPECT_NE(error.find("expected 4 processes within 0.6 s"), std::string::npos) << error;
    EXPECT_NE(error.find("missing rank 1, 3:"), std::string::npos) << error;
  }
}

TEST(HostGroup, WithoutTheFirstRankTheOthersGiveUp) {
  const auto errors = as_ranks(2, {1}, kShort, [](HostGroup&) {});
  EXPECT_NE(errors[0].find("rank 0 did not listen at 127.0.0.1 port "), std::string::npos) << errors[0];
}

TEST(HostGroup, ARankTwiceIsRefused) {
  const auto errors = as_ranks(3, {0, 1, 1}, kShort, [](HostGroup&) {});
  for (const std::string& error : errors) {
    EXPECT_NE(error.find("a second process says that it is rank 1"), std::string::npos) << error;
  }
}

TEST(HostGroup, ProcessesForDifferentSizesAreRefused) {
  const int port = free_port();
  std::string errors[2];
  std::thread threads[2];
  for (int rank = 0; rank < 2; ++rank) {
    threads[rank] = std::thread([&, rank] {
      try {
        const HostGroup group({.rank = rank, .size = 2 + rank, .port = port}, kShort);
      } catch (const EnvironmentError& error) {
        errors[rank] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& error : errors) {
    EXPECT_NE(error.find("rank 1 was started with WORLD_SIZE=3, rank 0 with 2"), std::string::npos) << error;
  }
}

TEST(HostGroup, AStrangerAtThePortIsIgnored) {
  const int port = free_port();
  std::string error;
  std::thread first([&] {
    try {
      HostGroup group({.rank = 0, .size = 2, .port = port}, {.meeting = std::chrono::seconds(10)});
      EXPECT_EQ(group.gather(std::vector<int64_t>{5}), (std::vector<int64_t>{5, 6}));
    } catch (const EnvironmentError& thrown) {
      error = thrown.what();
    }
  });
  const sockaddr_in address = loopback(port);
  const int stranger = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  while (connect(stranger, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  const char text[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_GT(send(stranger, text, sizeof text, MSG_NOSIGNAL), 0);
  HostGroup group({.rank = 1, .size = 2, .port = port}, {.meeting = std::chrono::seconds(10)});
  EXPECT_EQ(group.gather(std::vector<int64_t>{6}), (std::vector<int64_t>{5, 6}));
  first.join();
  close(stranger);
  EXPECT_EQ(error, "");
}

TEST(HostGroup, ATakenPortIsSaid) {
  const int port = free_port();
  const int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  ASSERT_EQ(bind(other, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(other, 1), 0);
  try {
    const HostGroup group({.rank = 0, .size = 2, .port = port}, kShort);
    FAIL() << "the port is taken";
  } catch (const EnvironmentError& error) {
    EXPECT_NE(std::string(error.what()).find("MASTER_PORT to a free port"), std::string::npos) << error.what();
  }
  close(other);
}

// Rank 1 leaves while the others wait for its numbers: at once, not after the time that an answer may take.
TEST(HostGroup, AnEndedRankEndsTheExchange) {
  const auto start = std::chrono::steady_clock::now();
  const auto errors = as_ranks(3, {0, 1, 2}, {}, [](HostGroup& group) {
    if (group.rank() != 1) group.gather(std::vector<int64_t>{1});
  });
  EXPECT_NE(errors[0].find("rank 1 has ended"), std::string::npos) << errors[0];
  EXPECT_EQ(errors[1], "");
  EXPECT_NE(errors[2].find("rank 0 has ended"), std::string::npos) << errors[2];
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

// The last of three leaves; the first notices although it waits for the second.
TEST(HostGroup, AnEndIsNoticedWhileAnotherRankIsAwaited) {
  const auto errors = as_ranks(3, {0, 1, 2}, {}, [](HostGroup& group) {
    if (group.rank() == 1) {
      for (;;) group.watch(milliseconds(1));
    }
    if (group.rank() == 0) group.gather(std::vector<int64_t>{1});
  });
  EXPECT_NE(errors[0].find("rank 2 has ended"), std::string::npos) << errors[0];
  EXPECT_NE(errors[1].find("rank 0 has ended"), std::string::npos) << errors[1];
}

TEST(HostGroup, ARankThatDoesNotAnswerInTimeIsNamed) {
  const auto errors = as_ranks(2, {0, 1}, kShort, [](HostGroup& group) {
    if (group.rank() == 0) group.gather(std::vector<int64_t>{1});
    while (group.rank() == 1) group.watch(milliseconds(1));
  });
  EXPECT_NE(errors[0].find("rank 1 did not do its part within 0.6 s"), std::string::npos) << errors[0];
}

TEST(HostGroup, RanksThatExchangeDifferentThingsAreNamed) {
  const auto errors = as_ranks(2, {0, 1}, {}, [](HostGroup& group) {
    group.gather(std::vector<int64_t>(static_cast<size_t>(1 + group.rank()), 0));
  });
  EXPECT_NE(errors[0].find("rank 1 exchanges 2 numbers where rank 0 exchanges 1"), std::string::npos) << errors[0];
}

}  // namespace
}  // namespace suanli::dist

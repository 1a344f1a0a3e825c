#include "dist/host_group.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>

#include "base/concat.h"
#include "base/error.h"
#include "dist/socket.h"

namespace suanli::dist {
namespace {

using Clock = std::chrono::steady_clock;

/// The first that a process says to rank 0; the answer is the length of a reason, and the reason: empty where all came.
struct Greeting {
  char name[8] = "suanli1";
  int32_t rank = 0, size = 0;
};
constexpr std::chrono::seconds kGreetingTime{2}, kLongestReason{5};
constexpr uint32_t kMostReason = 4096;  // bytes

std::string seconds_text(std::chrono::milliseconds time) {
  return concat(static_cast<double>(time.count()) / 1000, " s");
}

[[noreturn]] void has_ended(int rank) {
  throw EnvironmentError("dist", concat("rank ", rank,
                                        " has ended: its own message says why; a run that has a checkpoint goes on "
                                        "with resume_from_checkpoint=true"));
}

}  // namespace

HostGroup::HostGroup(const Launch& launch, Patience patience)
    : launch_(launch), patience_(patience), sockets_(static_cast<size_t>(launch.size), -1) {
  try {
    launch.rank == 0 ? await_peers() : meet_first();
  } catch (...) {
    for (const int socket : sockets_) close(socket);
    throw;
  }
}

HostGroup::~HostGroup() {
  for (const int socket : sockets_) close(socket);
}

void HostGroup::await_peers() {
  const Deadline deadline = Clock::now() + patience_.meeting;
  const int listener = listen_at(launch_.address, launch_.port);
  const auto missing = [&] { return std::count(sockets_.begin() + 1, sockets_.end(), -1); };
  std::string trouble;
  while (missing() > 0 && trouble.empty()) {
    const int made = accept_until(listener, deadline);
    if (made < 0) break;
    Greeting greeting;
    const bool known = receive_until(made, &greeting, sizeof greeting, Clock::now() + kGreetingTime) &&
                       std::memcmp(greeting.name, Greeting().name, sizeof greeting.name) == 0;
    const bool one_of_us = known && greeting.rank > 0 && greeting.rank < size() && greeting.size == size();
    if (one_of_us && sockets_[static_cast<size_t>(greeting.rank)] < 0) {
      sockets_[static_cast<size_t>(greeting.rank)] = made;
      continue;
    }
    if (known) {
      trouble = greeting.size != size() ? concat("rank ", greeting.rank, " was started with WORLD_SIZE=", greeting.size,
                                                 ", rank 0 with ", size())
                                        : concat("a second process says that it is rank ", greeting.rank);
      sockets_.push_back(made);  // it hears of it, too
    } else {
      close(made);  // a stranger
    }
  }
  close(listener);
  if (!trouble.empty()) call_off(trouble + "; start all processes with one torchrun or mpirun");
  std::string names;
  for (int rank = 1; rank < size(); ++rank) {
    if (sockets_[static_cast<size_t>(rank)] < 0) names += concat(names.empty() ? "" : ", ", rank);
  }
  if (!names.empty()) {
    call_off(concat("expected ", size(), " processes within ", seconds_text(patience_.meeting), " at ", launch_.address,
                    " port ", launch_.port, "; missing rank ", names, ": have they ended, or were they not started?"));
  }
  const uint32_t nothing = 0;
  for (int rank = 1; rank < size(); ++rank) send(rank, &nothing, sizeof nothing);
}

void HostGroup::call_off(const std::string& reason) {
  const auto length = static_cast<uint32_t>(std::min<size_t>(reason.size(), kMostReason));
  for (const int socket : sockets_) {
    if (socket >= 0 && send_all(socket, &length, sizeof length)) send_all(socket, reason.data(), length);
  }
  throw EnvironmentError("dist", reason);
}

void HostGroup::meet_first() {
  const Deadline deadline = Clock::now() + patience_.meeting;
  const std::string place = concat(launch_.address, " port ", launch_.port);
  int& first = sockets_[0];
  while ((first = connect_to(launch_.address, launch_.port)) < 0) {
    if (Clock::now() > deadline) {
      throw EnvironmentError("dist", concat("rank 0 did not listen at ", place, " within ",
                                            seconds_text(patience_.meeting), ": has it ended, or was it not started?"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  Greeting greeting;
  greeting.rank = rank();
  greeting.size = size();
  uint32_t length = 0;
  // Rank 0 may have begun to wait later.
  if (!send_all(first, &greeting, sizeof greeting) ||
      !receive_until(first, &length, sizeof length, Clock::now() + patience_.meeting + kLongestReason) ||
      length > kMostReason) {
    throw EnvironmentError("dist",
                           concat("what listens at ", place,
                                  " is not rank 0 of this run, or it has ended; set MASTER_PORT to a free port"));
  }
  std::string reason(length, ' ');
  if (length == 0) return;
  receive_until(first, reason.data(), length, Clock::now() + kLongestReason);
  throw EnvironmentError("dist", reason);
}

void HostGroup::send(int peer, const void* bytes, size_t size) const {
  if (!send_all(sockets_[static_cast<size_t>(peer)], bytes, size)) has_ended(peer);
}

void HostGroup::receive(int peer, void* bytes, size_t size) const {
  const Deadline deadline = Clock::now() + patience_.answer;
  const int wanted = sockets_[static_cast<size_t>(peer)];
  for (;;) {
    std::vector<pollfd> all;
    for (const int socket : sockets_) {
      all.push_back({.fd = socket, .events = static_cast<short>(socket == wanted ? POLLIN : POLLRDHUP), .revents = 0});
    }
    const int ready = poll(all.data(), all.size(), milliseconds_to(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) break;
    for (size_t rank = 0; rank < all.size(); ++rank) {
      if (all[rank].fd != wanted && all[rank].revents != 0) has_ended(static_cast<int>(rank));
    }
    if (receive_until(wanted, bytes, size, deadline)) return;
    if (Clock::now() < deadline) has_ended(peer);
    break;
  }
  throw EnvironmentError("dist", concat("rank ", peer, " did not do its part within ", seconds_text(patience_.answer),
                                        ": it hangs, or works longer; ddp_timeout says how long to wait"));
}

std::vector<int64_t> HostGroup::gather(std::span<const int64_t> numbers) {
  const auto count = static_cast<int64_t>(numbers.size());
  std::vector<int64_t> all(numbers.size() * static_cast<size_t>(size()));
  const auto bytes_of = [](std::span<const int64_t> values) { return values.size() * sizeof(int64_t); };
  if (rank() != 0) {
    send(0, &count, sizeof count);
    send(0, numbers.data(), bytes_of(numbers));
    receive(0, all.data(), bytes_of(all));
    return all;
  }
  std::ranges::copy(numbers, all.begin());
  for (int peer = 1; peer < size(); ++peer) {
    int64_t theirs = 0;
    receive(peer, &theirs, sizeof theirs);
    if (theirs != count) {
      throw EnvironmentError("dist", concat("rank ", peer, " exchanges ", theirs, " numbers where rank 0 exchanges ",
                                            count, ": do all processes run the same program and options?"));
    }
    receive(peer, all.data() + peer * count, bytes_of(numbers));
  }
  for (int peer = 1; peer < size(); ++peer) send(peer, all.data(), bytes_of(all));
  return all;
}

void HostGroup::watch(std::chrono::microseconds pause) const {
  std::vector<pollfd> all;
  for (const int socket : sockets_) all.push_back({.fd = socket, .events = POLLRDHUP, .revents = 0});
  const timespec time = {.tv_sec = 0, .tv_nsec = pause.count() * 1000};
  if (ppoll(all.data(), all.size(), &time, nullptr) <= 0) return;
  for (size_t rank = 0; rank < all.size(); ++rank) {
    if (all[rank].revents != 0) has_ended(static_cast<int>(rank));
  }
}

}  // namespace suanli::dist

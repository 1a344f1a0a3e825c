/// The processes of a run in contact with each other through the host: they meet, exchange numbers, notice an end.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "dist/launch.h"

namespace suanli::dist {

struct Patience {
  std::chrono::milliseconds meeting = std::chrono::seconds(60);   ///< until all have come
  std::chrono::milliseconds answer = std::chrono::seconds(1800);  ///< until a process does its part
};

/// Each process holds one TCP connection to rank 0, which the system closes when a process ends, however it does: that
/// is how the others notice. What travels is not encrypted. Thread compatible.
class HostGroup {
 public:
  /// Meets the others at launch.address. Throws EnvironmentError: who has not come in time, a port that is taken,
  /// processes that were started for different sizes.
  HostGroup(const Launch& launch, Patience patience);
  ~HostGroup();
  HostGroup(const HostGroup&) = delete;
  HostGroup& operator=(const HostGroup&) = delete;

  int rank() const { return launch_.rank; }
  int size() const { return launch_.size; }
  const Patience& patience() const { return patience_; }

  /// The numbers of all ranks, rank by rank: [size * numbers]. All ranks call it, with equally many numbers (at
  /// least one), and none returns before all have. Throws EnvironmentError when a rank has ended or does not answer in
  /// time.
  std::vector<int64_t> gather(std::span<const int64_t> numbers);

  /// Sleeps for `pause`. Throws EnvironmentError when a rank that this one is connected to has ended.
  void watch(std::chrono::microseconds pause) const;

 private:
  void await_peers();
  void meet_first();
  /// Sends a reason to all who have come, and throws it.
  [[noreturn]] void call_off(const std::string& reason);
  void receive(int peer, void* bytes, size_t size) const;
  void send(int peer, const void* bytes, size_t size) const;

  Launch launch_;
  Patience patience_;
  std::vector<int> sockets_;  ///< by rank; -1 where there is no connection
};

}  // namespace suanli::dist

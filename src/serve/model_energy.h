/// What energy the models of a server took.
#pragma once

#include <mutex>

#include "monitor/energy.h"
#include "monitor/energy_shares.h"
#include "serve/repository.h"

namespace suanli::serve {

/// Thread safe.
class ModelEnergy {
 public:
  ModelEnergy(monitor::EnergyOptions options, const Repository& models);

  struct Reading {
    monitor::EnergyReading machine;
    std::map<std::string, double> joules;  ///< by model, "" at rest; empty where the machine's are unknown
  };
  Reading read();
  /// Joules of a request of so many tokens, by what a token took of late (read anew every 10 s); nothing where it is
  /// unknown.
  std::optional<double> request(int64_t tokens);

 private:
  monitor::EnergyWatch watch_;
  const Repository& models_;
  std::mutex mutex_;
  monitor::EnergyShares shares_;
  std::chrono::steady_clock::time_point read_at_ = std::chrono::steady_clock::now();
};

}  // namespace suanli::serve

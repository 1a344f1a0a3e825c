/// RAPL energy counters as Linux shows them under powercap; internal to the energy meter.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace suanli::monitor {

class RaplCounters {
 public:
  /// Finds the zones and reads their first values.
  explicit RaplCounters(const std::filesystem::path& powercap);

  /// Adds what has been used since the last read; a counter below its last value has wrapped once.
  void read();

  /// Why there is nothing to read, and what to do; empty where all zones are read.
  const std::string& problem() const { return problem_; }
  double package_joules() const { return package_microjoules_ * 1e-6; }
  double memory_joules() const { return memory_microjoules_ * 1e-6; }
  bool has_memory() const { return has_memory_; }

 private:
  struct Zone {
    std::filesystem::path folder;
    bool memory;
    double range, last;  ///< microjoules
  };
  double value_of(const std::filesystem::path& file);

  std::vector<Zone> zones_;
  std::string problem_;
  bool has_memory_ = false;
  double package_microjoules_ = 0, memory_microjoules_ = 0;
};

}  // namespace suanli::monitor

#include "monitor/energy_rapl.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/concat.h"

namespace suanli::monitor {
namespace {

std::string zone_name(const std::filesystem::path& folder) {
  std::ifstream file(folder / "name");
  std::string name;
  file >> name;
  return name;
}

}  // namespace

RaplCounters::RaplCounters(const std::filesystem::path& powercap) {
  std::error_code ignored;  // a folder that is missing has no zones
  bool has_package = false;
  for (const auto& entry : std::filesystem::directory_iterator(powercap, ignored)) {
    // intel-rapl-mmio:0 shows the same package once more.
    if (!entry.path().filename().string().starts_with("intel-rapl:")) continue;
    const std::string name = zone_name(entry.path());
    const bool memory = name == "dram", package = name.starts_with("package");
    if (!memory && !package) continue;
    has_package = has_package || package;
    has_memory_ = has_memory_ || memory;
    zones_.push_back(
        {entry.path(), memory, value_of(entry.path() / "max_energy_range_uj"), value_of(entry.path() / "energy_uj")});
  }
  if (!has_package && problem_.empty()) {
    problem_ = concat("no RAPL counter of a processor in ", powercap, ", as on virtual machines");
  }
}

double RaplCounters::value_of(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream stream(file);
  double value = 0;
  if (stream >> value) return value;
  const int reason = errno;
  problem_ = concat(file, " cannot be read: ", reason == 0 ? "it holds no number" : std::strerror(reason));
  if (reason == EACCES || reason == EPERM) problem_ += "; let the user read it (chmod a+r), or run as root";
  return 0;
}

void RaplCounters::read() {
  for (Zone& zone : zones_) {
    if (!problem_.empty()) return;
    const double now = value_of(zone.folder / "energy_uj");
    if (!problem_.empty()) return;
    const double used = now >= zone.last ? now - zone.last : now + (zone.range - zone.last);
    zone.last = now;
    (zone.memory ? memory_microjoules_ : package_microjoules_) += used;
  }
}

}  // namespace suanli::monitor

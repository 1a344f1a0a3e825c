/// The energy that a machine takes while work is done, with how it is known: measured, modelled or unknown.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace suanli::monitor {

/// From the best to the least known; of several parts the least known one names the whole.
enum class EnergySource : uint8_t {
  measured,  ///< counters of the hardware
  modelled,  ///< power limits of the machine and its CPU time
  unknown
};

/// "measured", "modelled", "unknown".
const char* name_of(EnergySource source);

/// What a machine takes without its GPUs, as its owner knows it.
struct MachinePower {
  double idle_watts = 0, max_watts = 0;  ///< all cores idle, all cores busy
};

/// Energy of one part of the machine since the meter began.
struct EnergyPart {
  EnergySource source = EnergySource::unknown;
  double joules = 0;  ///< 0 where it is unknown
  std::string how;    ///< where it comes from, or why it is unknown and what to do
};

struct EnergyReading {
  double seconds = 0;
  EnergyPart cpu = {};                       ///< measured: the processor packages; modelled: the machine without GPUs
  std::optional<double> memory_joules = {};  ///< DRAM, where it has a counter
  std::optional<EnergyPart> gpu = {};        ///< where the work uses GPUs
  std::optional<double> cpu_load = {};       ///< busy share of the machine's CPU time
  std::optional<double> process_share = {};  ///< of that busy time, this process's
  EnergySource source() const;               ///< of joules()
  std::optional<double> joules() const;      ///< of the machine, all processes on it; nothing where a part is unknown
};

struct EnergyOptions {
  std::optional<MachinePower> power = {};  ///< nothing: without counters the energy is unknown
  bool uses_gpu = false;
  std::function<std::optional<double>()> gpu_joules = {};  ///< joules of the GPUs since any moment, or nothing
  std::filesystem::path powercap = "/sys/class/powercap", proc = "/proc";
  std::function<double()> clock = {};                ///< seconds; not set: seconds_now()
  std::function<double()> process_cpu_seconds = {};  ///< not set: of this process
};

/// Sums energy from its construction on. Measured are RAPL's packages and DRAM (Linux powercap, intel-rapl:*, also of
/// AMD; the zones core and uncore are parts of a package and not added). A counter that has wrapped at
/// max_energy_range_uj is continued, so that it must be read at least once a wrap: EnergyWatch does.
/// Without counters the model is linear in the load of the CPU (Fan, Weber and Barroso 2007, "Power provisioning for a
/// warehouse-sized computer"):   watts = idle_watts + load * (max_watts - idle_watts),
/// load from /proc/stat, or from this process's CPU time where that cannot be read. Thread compatible.
class EnergyMeter {
 public:
  explicit EnergyMeter(EnergyOptions options);
  ~EnergyMeter();
  EnergyMeter(EnergyMeter&&) noexcept;
  EnergyMeter& operator=(EnergyMeter&&) noexcept;

  /// Reads all counters: what has come together since the construction.
  EnergyReading read();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// An EnergyMeter that is read every 30 s by a thread of its own, so that no wrap is missed: 262 kJ, the smallest
/// range in use, are 8.7 kW of one package. Thread safe.
class EnergyWatch {
 public:
  explicit EnergyWatch(EnergyOptions options);
  ~EnergyWatch();
  EnergyReading read();

 private:
  void run();
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ends_ = false;
  EnergyMeter meter_;
  std::thread thread_;
};

/// Kilowatt hours of joules.
double kilowatt_hours(double joules);

/// The part of a request in the energy of an interval: by its share of the tokens that were computed in it.
/// Throws UserError unless 0 <= tokens <= all_tokens and 0 < all_tokens.
double request_joules(double interval_joules, int64_t tokens, int64_t all_tokens);

}  // namespace suanli::monitor

#include "monitor/energy.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>

#include <unistd.h>

#include "base/clock.h"
#include "base/concat.h"
#include "base/error.h"
#include "monitor/energy_rapl.h"

namespace suanli::monitor {

/// CPU time of the machine since it started, over all cores.
struct CpuTime {
  double busy = 0, all = 0;  ///< seconds
};

namespace {

double own_cpu_seconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal (proc(5)). Stolen time was
/// another machine's: it is in `all` alone.
std::optional<CpuTime> machine_cpu_time(const std::filesystem::path& proc) {
  std::ifstream file(proc / "stat");
  std::string label;
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft_irq = 0, steal = 0;
  if (!(file >> label >> user >> nice >> system >> idle >> wait >> irq >> soft_irq >> steal) || label != "cpu") {
    return std::nullopt;
  }
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  const double busy = user + nice + system + irq + soft_irq;
  return CpuTime{busy * tick, (busy + idle + wait + steal) * tick};
}

}  // namespace

const char* name_of(EnergySource source) {
  switch (source) {
    case EnergySource::measured:
      return "measured";
    case EnergySource::modelled:
      return "modelled";
    default:
      return "unknown";
  }
}

EnergySource EnergyReading::source() const { return gpu ? std::max(cpu.source, gpu->source) : cpu.source; }

std::optional<double> EnergyReading::joules() const {
  if (source() == EnergySource::unknown) return std::nullopt;
  return cpu.joules + memory_joules.value_or(0) + (gpu ? gpu->joules : 0);
}

struct EnergyMeter::State {
  explicit State(EnergyOptions given) : options(std::move(given)), rapl(options.powercap) {
    if (!options.clock) options.clock = seconds_now;
    if (!options.process_cpu_seconds) options.process_cpu_seconds = own_cpu_seconds;
    start = options.clock();
    process_start = options.process_cpu_seconds();
    cpu_start = machine_cpu_time(options.proc);
    if (options.gpu_joules) gpu_start = options.gpu_joules();
  }

  EnergyPart cpu_part(double seconds, std::optional<double> load) {
    if (rapl.problem().empty()) {
      return {EnergySource::measured, rapl.package_joules(), "RAPL counters of the processor packages"};
    }
    if (!options.power || !load) {
      return {EnergySource::unknown, 0,
              concat(rapl.problem(), "; to model it, give idle_watts and max_watts of the machine in the price table")};
    }
    const MachinePower& power = *options.power;
    const double watts = power.idle_watts + *load * (power.max_watts - power.idle_watts);
    return {
        EnergySource::modelled, watts * seconds,
        concat("idle_watts + load * (max_watts - idle_watts) of the price table, load ", *load, "; ", rapl.problem())};
  }

  EnergyPart gpu_part() const {
    const std::optional<double> now = options.gpu_joules ? options.gpu_joules() : std::nullopt;
    if (!now || !gpu_start) return {EnergySource::unknown, 0, "the energy counter of the GPU cannot be read"};
    return {EnergySource::measured, *now - *gpu_start, "energy counters of the GPUs (NVML)"};
  }

  EnergyOptions options;
  RaplCounters rapl;
  double start = 0, process_start = 0;
  std::optional<CpuTime> cpu_start;
  std::optional<double> gpu_start;
};

EnergyMeter::EnergyMeter(EnergyOptions options) : state_(std::make_unique<State>(std::move(options))) {}
EnergyMeter::~EnergyMeter() = default;
EnergyMeter::EnergyMeter(EnergyMeter&&) noexcept = default;
EnergyMeter& EnergyMeter::operator=(EnergyMeter&&) noexcept = default;

EnergyReading EnergyMeter::read() {
  State& state = *state_;
  state.rapl.read();
  EnergyReading reading;
  reading.seconds = state.options.clock() - state.start;
  const double process = state.options.process_cpu_seconds() - state.process_start;
  const std::optional<CpuTime> cpu = machine_cpu_time(state.options.proc);
  if (cpu && state.cpu_start && cpu->all > state.cpu_start->all) {
    const double busy = cpu->busy - state.cpu_start->busy;
    reading.cpu_load = std::clamp(busy / (cpu->all - state.cpu_start->all), 0.0, 1.0);
    if (busy > 0) reading.process_share = std::clamp(process / busy, 0.0, 1.0);
  } else if (reading.seconds > 0) {
    const auto cores = static_cast<double>(std::max(1U, std::thread::hardware_concurrency()));
    reading.cpu_load = std::clamp(process / (reading.seconds * cores), 0.0, 1.0);
  }
  reading.cpu = state.cpu_part(reading.seconds, reading.cpu_load);
  if (reading.cpu.source == EnergySource::measured && state.rapl.has_memory()) {
    reading.memory_joules = state.rapl.memory_joules();
  }
  if (state.options.uses_gpu) reading.gpu = state.gpu_part();
  return reading;
}

EnergyWatch::EnergyWatch(EnergyOptions options) : meter_(std::move(options)), thread_([this] { run(); }) {}

EnergyWatch::~EnergyWatch() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

EnergyReading EnergyWatch::read() {
  const std::lock_guard lock(mutex_);
  return meter_.read();
}

void EnergyWatch::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::seconds(30), [this] { return ends_; })) meter_.read();
}

double kilowatt_hours(double joules) { return joules / 3.6e6; }

double request_joules(double interval_joules, int64_t tokens, int64_t all_tokens) {
  if (tokens < 0 || all_tokens <= 0 || tokens > all_tokens) {
    throw UserError("energy",
                    concat("expected tokens of a request within the interval's, got ", tokens, " of ", all_tokens));
  }
  return interval_joules * static_cast<double>(tokens) / static_cast<double>(all_tokens);
}

}  // namespace suanli::monitor

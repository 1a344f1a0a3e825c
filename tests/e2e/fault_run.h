/// A short training run that the fault tests kill, signal, starve and damage: dropout and accumulation on.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace suanli::e2e {

/// How a process ended and what it said.
struct Ended {
  int code = -1;   ///< exit code; -1 when a signal ended it
  int signal = 0;  ///< the signal that ended it, or 0
  std::string err;
  double seconds = 0;      ///< from its start to its end
  double cpu_seconds = 0;  ///< user and system
};

/// `suanli ARGUMENTS` without a shell between; standard output is dropped, OpenMP's threads sleep while they wait.
class Process {
 public:
  /// No file that it writes may grow beyond `file_limit` bytes.
  explicit Process(const std::vector<std::string>& arguments, rlim_t file_limit = RLIM_INFINITY);
  ~Process();  ///< kills it if wait() was not called
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  void send(int signal) const;  ///< a process that ended but was not waited for takes it without effect
  Ended wait();

 private:
  pid_t child_ = -1;
  int err_ = -1;
  double start_ = 0;
};

/// True as soon as `holds`, asked every millisecond; false after `seconds`.
bool wait_until(double seconds, const std::function<bool()>& holds);

/// A scratch folder with nothing in it, also when a test is repeated.
std::filesystem::path empty_folder(const std::string& name);

/// What must be the same to the bit: SHA-256 of weights and optimizer.
struct Bits {
  std::string model, optimizer;
  bool operator==(const Bits&) const = default;
};

inline constexpr int64_t kLastStep = 48, kSaveSteps = 4;

/// Arguments of the run into `output_dir`; it goes on where a checkpoint is. `more` replaces what it names.
std::vector<std::string> fault_run(const std::filesystem::path& output_dir, const std::vector<std::string>& more = {});

Bits bits_of(const std::filesystem::path& checkpoint);
/// Weights beside the checkpoints, optimizer of the last checkpoint.
Bits final_bits(const std::filesystem::path& output_dir);

/// The checkpoints by step, by name alone.
std::map<int64_t, std::filesystem::path> checkpoints(const std::filesystem::path& output_dir);

/// What a checkpoint's files lack against its manifest of sizes and hashes, read without the program's code; "" if
/// whole.
std::string fault_of(const std::filesystem::path& checkpoint);

/// Names in `folder` of files and folders that were not finished.
std::vector<std::string> unfinished(const std::filesystem::path& folder);

/// The run that nothing disturbed, made once: all its checkpoints, its bits at each, how long it took.
struct Undisturbed {
  std::filesystem::path folder;
  std::map<int64_t, Bits> at;
  Bits at_end;
  double seconds = 0;
};
const Undisturbed& undisturbed();

/// A copy in `name` of the undisturbed run as if it had been killed: only its checkpoints of `steps` are there.
std::filesystem::path cut_off(const std::string& name, const std::vector<int64_t>& steps);

/// The values of all f32 tensors of a safetensors file, by name.
std::map<std::string, std::vector<float>> values_of(const std::filesystem::path& safetensors);

}  // namespace suanli::e2e

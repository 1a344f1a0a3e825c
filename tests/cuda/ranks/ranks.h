/// `suanli train` as several processes of one run, as torchrun starts them.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace suanli::e2e {

struct RankRun {
  int code = 0;  ///< exit code; 128 + n after signal n
  std::string out, err;
};

/// Processes with RANK, WORLD_SIZE, ... in their environment, all on the stand-ins.
class Ranks {
 public:
  /// Starts `program ARGUMENTS` once for each of `ranks`. Their output goes to files in `folder`.
  Ranks(const std::filesystem::path& folder, int size, const std::vector<int>& ranks, const std::string& arguments,
        const std::string& program = SUANLI_PROGRAM);
  ~Ranks();  ///< ends those that still run
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  /// A process of its own for each, in the order of the constructor's `ranks`.
  pid_t process(size_t index) const { return processes_[index]; }
  /// What a process has written so far on standard output.
  std::string out(size_t index) const;
  /// Waits for all, at most `seconds`; who still runs then is killed.
  std::vector<RankRun> finish(double seconds);

 private:
  std::filesystem::path file(size_t index, const char* end) const;

  std::filesystem::path folder_;
  std::vector<pid_t> processes_;
};

}  // namespace suanli::e2e

/// A progress bar on a terminal; nothing elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace suanli {

/// One line such as " 42%|####      | 42/100 [00:21<00:29, 2.00 step/s]". The rate is that of `fresh` steps in
/// `seconds`.
std::string progress_line(int64_t done, int64_t total, int64_t fresh, double seconds, int width,
                          std::string_view unit = "step");

/// True when standard error is a terminal that can move its cursor, and TQDM_DISABLE is not set.
bool terminal_shows_progress();

/// Redraws one line of standard error, at most ten times a second. With `visible` false it draws nothing, and print()
/// is plain output.
class ProgressBar {
 public:
  ProgressBar(bool visible, int64_t done, int64_t total, std::string_view unit = "step");
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { clear(); }
  void update(int64_t done);
  /// Writes a whole line to standard output without tearing the bar.
  void print(std::string_view line);
  /// Takes the bar off the screen.
  void clear();

 private:
  void draw();
  using Clock = std::chrono::steady_clock;
  bool visible_, drawn_ = false;
  int64_t first_, done_, total_;
  std::string unit_;
  Clock::time_point start_, last_;
};

}  // namespace suanli

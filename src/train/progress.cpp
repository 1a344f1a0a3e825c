#include "train/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/env.h"

namespace suanli {
namespace {

/// "03:07" or "1:02:03".
std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::clamp(seconds, 0.0, 359999.0));
  char text[48];
  if (whole < 3600) {
    std::snprintf(text, sizeof text, "%02ld:%02ld", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return text;
}

int terminal_width() {
  winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string progress_line(int64_t done, int64_t total, int64_t fresh, double seconds, int width,
                          std::string_view unit) {
  const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
  const double rate = seconds > 0 ? static_cast<double>(fresh) / seconds : 0;
  char head[16], tail[160];
  std::snprintf(head, sizeof head, "%3d%%|", static_cast<int>(100 * share));
  std::snprintf(tail, sizeof tail, "| %lld/%lld [%s<%s, %.2f %.*s/s]", static_cast<long long>(done),
                static_cast<long long>(total), clock_text(seconds).c_str(),
                rate > 0 ? clock_text(static_cast<double>(total - done) / rate).c_str() : "?", rate,
                static_cast<int>(unit.size()), unit.data());
  std::string line = head;
  const int room = width - static_cast<int>(line.size() + std::string_view(tail).size());
  if (room > 0) {
    const int full = std::clamp(static_cast<int>(share * room), 0, room);
    line.append(static_cast<size_t>(full), '#').append(static_cast<size_t>(room - full), ' ');
  }
  return line += tail;
}

bool terminal_shows_progress() {
  const auto disabled = environment("TQDM_DISABLE");
  return isatty(STDERR_FILENO) == 1 && environment("TERM").value_or("dumb") != "dumb" &&
         (!disabled || *disabled == "0");
}

ProgressBar::ProgressBar(bool visible, int64_t done, int64_t total, std::string_view unit)
    : visible_(visible), first_(done), done_(done), total_(total), unit_(unit), start_(Clock::now()) {
  if (visible_) draw();
}

void ProgressBar::update(int64_t done) {
  done_ = done;
  if (visible_ && (done_ == total_ || Clock::now() - last_ > std::chrono::milliseconds(100))) draw();
}

void ProgressBar::print(std::string_view line) {
  clear();
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
  if (visible_) draw();
}

void ProgressBar::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

void ProgressBar::draw() {
  last_ = Clock::now();
  const double seconds = std::chrono::duration<double>(last_ - start_).count();
  const std::string line = progress_line(done_, total_, done_ - first_, seconds, terminal_width() - 1, unit_);
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace suanli

#include "train/signals.h"

#include <unistd.h>

#include <csignal>

namespace suanli {
namespace {

constexpr int kWatched[] = {SIGTERM, SIGINT, SIGUSR1};
volatile std::sig_atomic_t first_signal = 0;
struct sigaction before[3];

// Only what is safe in a signal handler: a flag, and _exit.
extern "C" void remember(int signal) {
  if (first_signal != 0) _exit(128 + signal);
  first_signal = signal;
}

}  // namespace

SignalWatch::SignalWatch() {
  first_signal = 0;
  struct sigaction action = {};
  action.sa_handler = remember;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // reads and writes under way are not cut short
  for (int i = 0; i < 3; ++i) sigaction(kWatched[i], &action, &before[i]);
}

SignalWatch::~SignalWatch() {
  for (int i = 0; i < 3; ++i) sigaction(kWatched[i], &before[i], nullptr);
}

int SignalWatch::received() { return first_signal; }

FileSizeLimitFails::FileSizeLimitFails() : before_(std::signal(SIGXFSZ, SIG_IGN)) {}
FileSizeLimitFails::~FileSizeLimitFails() { std::signal(SIGXFSZ, before_); }

}  // namespace suanli

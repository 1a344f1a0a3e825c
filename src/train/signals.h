/// SIGTERM, SIGINT and SIGUSR1 as a wish to save and leave.
#pragma once

namespace suanli {

/// While it lives, the first of the three signals is remembered and the run goes on to its next safe place; a second
/// one ends the process at once with 128 + its number. At most one at a time.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();  ///< restores what was there before
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  /// The signal that came, or 0.
  static int received();
};

}  // namespace suanli

/// Signals of a run: SIGTERM, SIGINT and SIGUSR1 as a wish to save and leave, SIGXFSZ as an error like others.
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

/// While it lives, a write beyond the file size limit (`ulimit -f`) fails with a reason, as one to a full disk does;
/// the system's default is to end the process in the middle of it.
class FileSizeLimitFails {
 public:
  FileSizeLimitFails();
  ~FileSizeLimitFails();  ///< restores what was there before
  FileSizeLimitFails(const FileSizeLimitFails&) = delete;
  FileSizeLimitFails& operator=(const FileSizeLimitFails&) = delete;

 private:
  void (*before_)(int);
};

}  // namespace suanli

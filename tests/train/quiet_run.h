/// A run from words as on a command line, without its output.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "device.h"
#include "ops/initialize.h"
#include "train/arguments.h"
#include "train/run.h"

namespace suanli {

/// The exit code of `verb`; throws what it throws.
inline int quiet_run(const std::vector<std::string>& words, int (*verb)(const Config&) = run_training) {
  initialize();
  Config config(train_options());
  config.read_arguments(std::vector<std::string>{"device=" + test_device().text(), "disable_tqdm=true"});
  config.read_arguments(words);
  testing::internal::CaptureStdout();
  try {
    const int code = verb(config);
    testing::internal::GetCapturedStdout();
    return code;
  } catch (...) {
    testing::internal::GetCapturedStdout();
    throw;
  }
}

}  // namespace suanli

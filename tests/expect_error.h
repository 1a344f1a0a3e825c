/// The message of an error that must come.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "base/error.h"

namespace suanli {

/// Runs `action` and gives the text of the E that it throws; a failed expectation and "" when it throws none.
template <class E = UserError, class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error came";
  return "";
}

}  // namespace suanli

/// Reference values of tests/golden, read once.
#pragma once

#include <string>

#include "base/json.h"

namespace suanli {

inline Json golden(const std::string& file) { return read_json(std::string(SUANLI_TESTS_DIR) + "/golden/" + file); }

}  // namespace suanli

/// Reads the options of a run one by one, each with its bounds; internal to train/.
#pragma once

#include <cmath>
#include <string>

#include "base/concat.h"
#include "base/config.h"
#include "base/error.h"
#include "train/arguments.h"

namespace suanli {

/// Reads options and throws with the place where a bad one was given.
class OptionReader {
 public:
  explicit OptionReader(const Config& config) : config_(config) {}

  std::string text(const char* name) const { return config_.get_text(name); }
  bool boolean(const char* name, bool otherwise) const {
    return config_.is_set(name) ? config_.get_bool(name) : otherwise;
  }
  int64_t integer(const char* name, int64_t least, int64_t otherwise) const {
    if (!config_.is_set(name)) return otherwise;
    const int64_t value = config_.get_int(name);
    require(value >= least, name, concat("at least ", least), concat(value));
    return value;
  }
  double real(const char* name, double least, double most) const {
    const double value = config_.get_float(name);
    require(value >= least && value <= most, name,
            most == HUGE_VAL ? concat("at least ", least) : concat("between ", least, " and ", most), concat(value));
    return value;
  }
  void require(bool holds, const char* name, const std::string& wanted, const std::string& got) const {
    if (!holds) throw UserError(config_.source(name), concat("expected ", name, " to be ", wanted, ", got ", got));
  }

 private:
  const Config& config_;
};

/// The part of arguments.cpp for data, tables, pictures and series.
void read_data_arguments(const Config& config, const OptionReader& read, TrainArguments* arguments);

}  // namespace suanli

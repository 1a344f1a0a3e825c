#include "models/batch_counters.h"

namespace suanli::models {

namespace {

constexpr std::string_view kVariance = ".running_var", kBatches = ".num_batches_tracked";

}  // namespace

bool counts_batches(std::string_view name) { return name.ends_with(kBatches); }

std::string counter_beside(const std::string& name) {
  if (!name.ends_with(kVariance)) return "";
  return name.substr(0, name.size() - kVariance.size()) + std::string(kBatches);
}

}  // namespace suanli::models

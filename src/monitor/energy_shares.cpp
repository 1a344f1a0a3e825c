#include "monitor/energy_shares.h"

#include "monitor/energy.h"

namespace suanli::monitor {

void EnergyShares::observe(double joules, const std::map<std::string, int64_t>& tokens) {
  const double interval = joules - last_joules_;
  std::map<std::string, int64_t> grown;
  int64_t all = 0;
  for (const auto& [model, now] : tokens) {
    const int64_t before = last_tokens_[model];
    all += grown[model] = now >= before ? now - before : now;
  }
  last_joules_ = joules;
  last_tokens_ = tokens;
  if (all == 0) {
    joules_[""] += interval;
    return;
  }
  for (const auto& [model, count] : grown) joules_[model] += request_joules(interval, count, all);
  if (interval > 0) per_token_ = interval / static_cast<double>(all);
}

}  // namespace suanli::monitor

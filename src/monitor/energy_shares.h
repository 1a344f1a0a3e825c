/// A machine's energy by the models that it went to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace suanli::monitor {

/// The joules of an interval go to the models by their shares of the tokens that were computed in it
/// (request_joules()); those of an interval without any go to "", the machine at rest. Sums grow alone. Thread
/// compatible.
class EnergyShares {
 public:
  /// `joules` of the machine and `tokens` of each model since the beginning. A model with fewer tokens than before was
  /// loaded anew.
  void observe(double joules, const std::map<std::string, int64_t>& tokens);

  /// By model.
  const std::map<std::string, double>& joules() const { return joules_; }
  /// In the last interval in which tokens were computed: what a request took is this times its tokens.
  std::optional<double> joules_per_token() const { return per_token_; }

 private:
  double last_joules_ = 0;
  std::map<std::string, int64_t> last_tokens_;
  std::map<std::string, double> joules_;
  std::optional<double> per_token_;
};

}  // namespace suanli::monitor

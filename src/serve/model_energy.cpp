#include "serve/model_energy.h"

namespace suanli::serve {

ModelEnergy::ModelEnergy(monitor::EnergyOptions options, const Repository& models)
    : watch_(std::move(options)), models_(models) {}

ModelEnergy::Reading ModelEnergy::read() {
  Reading out{.machine = watch_.read(), .joules = {}};
  std::map<std::string, int64_t> tokens;
  for (const auto& model : models_.loaded()) tokens[model->name()] = model->tokens();
  const std::lock_guard lock(mutex_);
  read_at_ = std::chrono::steady_clock::now();
  const auto joules = out.machine.joules();
  if (!joules) return out;
  shares_.observe(*joules, tokens);
  out.joules = shares_.joules();
  return out;
}

std::optional<double> ModelEnergy::request(int64_t tokens) {
  constexpr auto kAge = std::chrono::seconds(10);
  std::unique_lock lock(mutex_);
  if (std::chrono::steady_clock::now() - read_at_ > kAge) {
    lock.unlock();
    read();
    lock.lock();
  }
  const auto one = shares_.joules_per_token();
  return one ? std::optional(*one * static_cast<double>(tokens)) : std::nullopt;
}

}  // namespace suanli::serve

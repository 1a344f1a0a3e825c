#include "apps/sessions.h"

#include <openssl/rand.h>

#include <array>

#include "base/error.h"

namespace suanli::apps {

Sessions::Sessions(const SessionLimits& limits, std::function<std::string()> new_id)
    : limits_(limits), new_id_(std::move(new_id)) {}

void Sessions::drop_idle(double now) {
  while (!entries_.empty() && now - entries_.back().last > limits_.idle_seconds) {
    by_id_.erase(entries_.back().id);
    entries_.pop_back();
  }
}

std::string Sessions::begin(const std::string& client, double now) {
  const std::lock_guard lock(mutex_);
  drop_idle(now);
  while (!entries_.empty() && entries_.size() >= limits_.sessions) {
    by_id_.erase(entries_.back().id);
    entries_.pop_back();
  }
  entries_.push_front({.id = new_id_(), .client = client, .last = now});
  by_id_[entries_.front().id] = entries_.begin();
  return entries_.front().id;
}

std::optional<SessionState> Sessions::turn(const std::string& id, const std::string& client, double now) {
  const std::lock_guard lock(mutex_);
  drop_idle(now);
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second->client != client) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  Entry& entry = entries_.front();
  entry.last = now;
  ++entry.state.turns;
  return entry.state;
}

void Sessions::remember(const std::string& id, const std::string& intent, std::optional<size_t> answer_row) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  if (!intent.empty()) found->second->state.intent = intent;
  if (answer_row) found->second->state.answer_row = answer_row;
}

size_t Sessions::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::string random_session_id() {
  std::array<unsigned char, 16> bytes = {};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw EnvironmentError("session", "the system has no randomness to give");
  }
  std::string out;
  for (const unsigned char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace suanli::apps

/// Who may come in: keys, how many requests are under way, the end of the server; and what administrators did. HTTP and
/// gRPC share one.
#pragma once

#include <atomic>
#include <mutex>

#include "serve/audit_log.h"
#include "serve/exchange.h"
#include "serve/keys.h"
#include "serve/limits.h"

namespace suanli::serve {

/// Every function may be called from any thread.
class Gate {
 public:
  explicit Gate(const Limits& limits) : limits_(limits) {}

  void set_keys(Keys keys);
  /// From now on it gets what callers of the scope admin ask for, and what they are answered. Before others call.
  void set_audit(AuditLog* log) { audit_ = log; }
  /// Judges the key that came with a request; its name goes to `request.client`. Throws RequestError for one that may
  /// not ask for that.
  void admit(std::string_view key, Scope scope, Request& request);
  /// Counts a request as under way, where its scope is one of work. True: leave() once it has been answered. Throws
  /// RequestError where there are as many as the limit, the server is about to end, or the audit log is full.
  bool enter(Scope scope, const Request& request);
  /// For the audit log; `model`: which it was about, or "".
  void note_answer(Scope scope, const Request& request, int status, const std::string& model);
  void leave() { --in_flight_; }
  size_t in_flight() const { return in_flight_; }

  /// From now on work is refused.
  void drain() { draining_ = true; }
  bool draining() const { return draining_; }

  /// 1, 2, ...: of requests.
  uint64_t next_id() { return ++last_id_; }

 private:
  void note(const Request& request, const std::string& model, const std::string& outcome);

  const Limits& limits_;
  AuditLog* audit_ = nullptr;
  std::mutex keys_mutex_;
  Keys keys_;
  std::atomic<size_t> in_flight_ = 0;
  std::atomic<bool> draining_ = false;
  std::atomic<uint64_t> last_id_ = 0;
};

}  // namespace suanli::serve

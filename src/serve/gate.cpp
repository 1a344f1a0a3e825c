#include "serve/gate.h"

#include "base/error.h"
#include "base/log.h"
#include "serve/fault.h"

namespace suanli::serve {

void Gate::set_keys(Keys keys) {
  const std::lock_guard lock(keys_mutex_);
  keys_ = std::move(keys);
}

/// Throws EnvironmentError where it cannot be written.
void Gate::note(const Request& request, const std::string& model, const std::string& outcome) {
  if (audit_ == nullptr) return;
  audit_->append({.actor = request.client,
                  .action = request.method + " " + request.path,
                  .model = model,
                  .outcome = outcome,
                  .request = request.id});
}

void Gate::note_answer(Scope scope, const Request& request, int status, const std::string& model) {
  if (scope != Scope::admin) return;
  try {
    note(request, model, std::to_string(status));
  } catch (const EnvironmentError& error) {
    log_error(error.what());
  }
}

void Gate::admit(std::string_view key, Scope scope, Request& request) {
  const std::lock_guard lock(keys_mutex_);
  if (scope == Scope::admin && !keys_.wanted()) {
    throw RequestError(Fault::forbidden, "expected this on the admin socket, or a key that allows it");
  }
  int64_t retry_after = 0;
  switch (keys_.admit(key, scope, request.client, retry_after)) {
    case Admission::unknown_key:
      throw RequestError(Fault::unauthorized, "expected a key that this server knows");
    case Admission::not_in_scope:
      note_answer(scope, request, status_of(Fault::forbidden), "");
      throw RequestError(Fault::forbidden, "this key does not allow that");
    case Admission::over_quota:
      throw RequestError(Fault::overloaded, "this key has used up its requests", retry_after);
    case Admission::allowed:
      break;
  }
}

bool Gate::enter(Scope scope, const Request& request) {
  if (scope != Scope::infer && scope != Scope::admin) return false;
  // Counted first: a server that ends waits for those that it sees here.
  const size_t before = in_flight_++;
  if (draining_ && scope == Scope::infer) {
    leave();
    throw RequestError(Fault::unhealthy, "the server is about to end");
  }
  if (before >= limits_.in_flight) {
    leave();
    throw RequestError(Fault::overloaded, "the server works on as many requests as it takes; try again later", 1);
  }
  if (scope != Scope::admin) return true;
  try {
    note(request, "", "asked");
  } catch (const EnvironmentError& error) {
    leave();
    log_error(error.what());
    throw RequestError(Fault::unhealthy, "the audit log cannot be written: nothing is done");
  }
  return true;
}

}  // namespace suanli::serve

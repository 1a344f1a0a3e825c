/// Alerts posted to a receiver over HTTP, in Alertmanager's format.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "monitor/alert_event.h"
#include "serve/http_client.h"

namespace suanli::serve {

class Webhook {
 public:
  /// `url`: http[s]://host[:port]/path; empty: a receiver of nothing. Throws UserError for anything else.
  explicit Webhook(const std::string& url);
  bool is_set() const { return url_.has_value(); }
  /// Waits for the receiver, at most five seconds; one that does not take them loses them, and the log says so.
  void post(const std::vector<monitor::AlertEvent>& events) const;

 private:
  std::optional<Url> url_;
};

}  // namespace suanli::serve

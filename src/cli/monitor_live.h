/// A service in the terminal, from its /metrics.
#pragma once

#include "base/config.h"
#include "monitor/service_summary.h"

namespace suanli::cli {

/// The options of watching, beside those of replaying.
std::vector<Option> live_options();

/// Asks the server at `url` every two seconds until it is interrupted, or as often as --count says. Returns the exit
/// code: 69 where the server did not answer the first time.
int watch_service(const std::string& url, const Config& config);

/// What a screen can show.
struct Terminal {
  bool colours = false;
  bool utf8 = false;
};

/// The summary as lines of text, the last one ended.
std::string screen_of(const monitor::ServiceSummary& summary, const std::string& title, const Terminal& terminal);
/// The same on one line, without colours.
std::string line_of(const monitor::ServiceSummary& summary);

}  // namespace suanli::cli

#include "cli/monitor_live.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>

#include "base/error.h"
#include "cli/options.h"
#include "serve/http_client.h"

namespace suanli::cli {

namespace {

constexpr int kNoServer = 69;  // EX_UNAVAILABLE

using Samples = std::vector<monitor::MetricSample>;

std::string read_key(const Config& config) {
  if (config.is_given("api_key")) return config.get_string("api_key");
  if (!config.is_given("api_key_file")) return "";
  std::ifstream file(config.get_string("api_key_file"));
  std::string key;
  if (!(file >> key)) throw UserError(config.get_string("api_key_file"), "expected a key, got none");
  return key;
}

/// A server and how it is asked.
struct Service {
  serve::Url url;
  serve::HttpQuestion question = {};
  std::string failure = {};  ///< of the last read()

  std::optional<Samples> read() {
    const serve::HttpAnswer answer = serve::ask_http(url, question);
    failure = answer.failure;
    if (failure.empty() && answer.status != 200) {
      failure = answer.status == 401   ? "it asks for a key: --api_key_file FILE"
                : answer.status == 403 ? "the key lacks the scope metrics"
                                       : "it says " + std::to_string(answer.status);
    }
    if (!failure.empty()) return {};
    return monitor::parse_metrics_text(answer.body, "metrics");
  }
};

/// The locale of the environment says which characters a terminal shows.
bool shows_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::string text = value;
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text.find("utf-8") != std::string::npos || text.find("utf8") != std::string::npos;
  }
  return false;
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

std::vector<Option> live_options() {
  return {{.name = "api_key", .type = OptionType::text, .help = "a key with the scope metrics; others may see it here"},
          {.name = "api_key_file", .type = OptionType::path, .help = "a file with that key"},
          {.name = "ca_file", .type = OptionType::path, .help = "PEM: the authority of an https server"},
          {.name = "interval", .type = OptionType::real, .default_value = "2", .help = "seconds between two readings"},
          {.name = "count", .type = OptionType::integer, .default_value = "0", .help = "then it ends; 0: never"},
          {.name = "once", .type = OptionType::boolean, .default_value = "false", .help = "as --count 1"}};
}

int watch_service(const std::string& address, const Config& config) {
  Service service{.url = serve::read_url(address, "monitor")};
  if (service.url.path == "/") service.url.path = "/metrics";
  if (const std::string key = read_key(config); !key.empty()) {
    service.question.headers.emplace_back("Authorization", "Bearer " + key);
  }
  if (config.is_given("ca_file")) service.question.authority = config.get_string("ca_file");
  const int64_t count = config.get_bool("once") ? 1 : config.get_int("count");
  const double interval = config.get_float("interval");
  if (count < 0 || !(interval >= 0.1))
    throw UserError("monitor", "expected --count of at least 0, --interval of at least 0.1");

  const bool screen = isatty(STDOUT_FILENO) != 0 && count == 0;
  const Terminal terminal{.colours = isatty(STDOUT_FILENO) != 0 && !is_set("NO_COLOR"), .utf8 = shows_utf8()};
  std::optional<Samples> before = service.read();
  if (!before) {
    std::fprintf(stderr, "error: [monitor] no metrics from %s: %s\n", address.c_str(), service.failure.c_str());
    return kNoServer;
  }
  using Clock = std::chrono::steady_clock;
  auto read_at = Clock::now();
  for (int64_t shown = 0; count == 0 || shown < count; ++shown) {
    std::this_thread::sleep_for(std::chrono::duration<double>(interval));
    std::optional<Samples> after = service.read();
    const auto now = Clock::now();
    std::string text;
    if (after && before) {
      const double seconds = std::chrono::duration<double>(now - read_at).count();
      const auto summary = monitor::summarize(*before, *after, seconds);
      text = screen || config.get_bool("once") ? screen_of(summary, address, terminal) : line_of(summary);
    } else {
      text = (screen ? address + "\n\n" : "") + "no metrics: " + (after ? "one more reading" : service.failure) + "\n";
    }
    if (screen) text = "\033[H\033[J" + text;  // from the upper left corner, in the place of what was there
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (std::fflush(stdout) != 0) throw EnvironmentError("monitor", "cannot write to standard output");
    before = std::move(after);
    read_at = now;
  }
  return 0;
}

}  // namespace suanli::cli

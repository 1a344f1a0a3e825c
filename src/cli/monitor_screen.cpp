#include <cmath>
#include <cstdio>

#include "cli/monitor_live.h"

namespace suanli::cli {

namespace {

constexpr const char* kBold = "\033[1m";
constexpr const char* kFaint = "\033[2m";
constexpr const char* kRed = "\033[31m";

/// Three digits: "12.3", "0.05", "1.2M"; "-" for what is unknown.
std::string short_number(double value) {
  if (!std::isfinite(value)) return "-";
  char text[32];
  if (std::abs(value) >= 1e6) {
    std::snprintf(text, sizeof text, "%.3gM", value / 1e6);
  } else if (std::abs(value) >= 1e4) {
    std::snprintf(text, sizeof text, "%.3gk", value / 1e3);
  } else {
    std::snprintf(text, sizeof text, std::abs(value) >= 100 ? "%.0f" : "%.3g", value);
  }
  return text;
}

std::string milliseconds(double seconds) { return short_number(seconds * 1e3); }

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f%%", share * 100);
  return text;
}

std::string padded(std::string text, size_t width, bool right) {
  if (text.size() < width) text.insert(right ? 0 : text.size(), width - text.size(), ' ');
  return text;
}

/// "200 12.1, 429 3.4"
std::string codes(const monitor::ServiceSummary& summary) {
  std::string out;
  for (const auto& [code, rate] : summary.codes) out += (out.empty() ? "" : ", ") + code + " " + short_number(rate);
  return out;
}

std::string energy(const monitor::ServiceSummary& summary) {
  if (std::isnan(summary.joules)) return "unknown";
  std::string out = short_number(summary.joules) + " J, " + short_number(summary.watts) + " W " + summary.energy_source;
  if (std::isfinite(summary.cost)) out += ", " + short_number(summary.cost) + " " + summary.currency;
  if (std::isfinite(summary.co2_kg)) out += ", " + short_number(summary.co2_kg * 1e3) + " g CO2e";
  return out;
}

class Screen {
 public:
  explicit Screen(const Terminal& terminal) : terminal_(terminal) {}

  std::string paint(const char* colour, const std::string& text) const {
    return terminal_.colours ? colour + text + "\033[0m" : text;
  }
  void line(const std::string& name, const std::string& text) {
    out += paint(kFaint, padded(name, 12, false)) + text + "\n";
  }
  const char* dot() const { return terminal_.utf8 ? " · " : ", "; }

  std::string out = {};

 private:
  const Terminal& terminal_;
};

void add_models(Screen& screen, const monitor::ServiceSummary& summary) {
  size_t width = 5;
  for (const auto& model : summary.models) width = std::max(width, model.name.size());
  const auto row = [&](const std::string& name, const std::string& kind, const std::vector<std::string>& numbers) {
    std::string text = padded(name, width + 2, false) + padded(kind, 22, false);
    for (const std::string& number : numbers) text += padded(number, 9, true);
    return text;
  };
  screen.out += "\n" +
                screen.paint(kFaint, row("model", "", {"req/s", "p50 ms", "p99 ms", "tokens/s", "batch", "waiting"})) +
                "\n";
  for (const auto& model : summary.models) {
    screen.out +=
        row(model.name, model.kind + " v" + model.version,
            {short_number(model.requests_per_second), milliseconds(model.p50), milliseconds(model.p99),
             short_number(model.tokens_per_second), short_number(model.batch_size), short_number(model.queued)}) +
        "\n";
  }
  if (summary.models.empty()) screen.out += "no model is loaded\n";
}

}  // namespace

std::string screen_of(const monitor::ServiceSummary& summary, const std::string& title, const Terminal& terminal) {
  Screen screen(terminal);
  screen.out += screen.paint(kBold, title) + "\n\n";
  screen.line("requests", short_number(summary.requests_per_second) + " /s" +
                              (summary.codes.empty() ? "" : screen.dot() + codes(summary)));
  screen.line("latency", "p50 " + milliseconds(summary.p50) + screen.dot() + "p95 " + milliseconds(summary.p95) +
                             screen.dot() + "p99 " + milliseconds(summary.p99) + " ms");
  screen.line("queue", short_number(summary.queued) + " waiting" + screen.dot() + short_number(summary.in_flight) +
                           " in flight");
  screen.line("tokens", short_number(summary.tokens_per_second) + " /s");
  screen.line("energy", energy(summary));
  add_models(screen, summary);
  screen.out += "\n";
  for (const auto& model : summary.models) {
    if (model.drift_tests > 0) {
      std::string text = model.name + ": " + std::to_string(model.drifted.size()) + " of " +
                         std::to_string(model.drift_tests) + " tests say drift";
      for (const std::string& one : model.drifted) text += "\n" + std::string(12, ' ') + screen.paint(kRed, one);
      screen.line("drift", text);
    }
    if (model.labelled > 0) {
      screen.line("accuracy", model.name + ": " + percent(model.accuracy) + " of " + short_number(model.labelled) +
                                  " labels, " + percent(model.accuracy_low) + " to " + percent(model.accuracy_high));
    }
  }
  if (summary.alerts.empty()) screen.line("alerts", "none fires");
  for (const std::string& alert : summary.alerts) screen.line("alert", screen.paint(kRed, alert));
  return screen.out;
}

std::string line_of(const monitor::ServiceSummary& summary) {
  std::string out = "requests/s=" + short_number(summary.requests_per_second);
  for (const auto& [code, rate] : summary.codes) out += " code_" + code + "/s=" + short_number(rate);
  out += " p50_ms=" + milliseconds(summary.p50) + " p95_ms=" + milliseconds(summary.p95) +
         " p99_ms=" + milliseconds(summary.p99) + " waiting=" + short_number(summary.queued) +
         " in_flight=" + short_number(summary.in_flight) + " tokens/s=" + short_number(summary.tokens_per_second);
  size_t drifted = 0;
  for (const auto& model : summary.models) {
    drifted += model.drifted.size();
    if (model.labelled > 0) out += " accuracy{" + model.name + "}=" + percent(model.accuracy);
  }
  return out + " drifted=" + std::to_string(drifted) + " watts=" + short_number(summary.watts) + " (" +
         summary.energy_source + ") alerts=" + std::to_string(summary.alerts.size()) + "\n";
}

}  // namespace suanli::cli

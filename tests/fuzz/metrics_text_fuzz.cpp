/// Any bytes as metrics and as alert rules: UserError, or samples that an engine with those rules can judge.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "monitor/alerts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = input.find('\0');  // rules, then metrics
  std::vector<suanli::monitor::AlertRule> rules;
  try {
    if (cut != std::string_view::npos) rules = suanli::monitor::parse_alert_rules(input.substr(0, cut), "rules");
  } catch (const suanli::UserError&) {
  }
  try {
    const auto samples =
        suanli::monitor::parse_metrics_text(input.substr(cut == std::string_view::npos ? 0 : cut + 1), "metrics");
    for (const auto& sample : samples) {
      if (!suanli::monitor::is_metric_name(sample.name)) __builtin_trap();
      const std::string again = sample.name + suanli::monitor::label_text(sample.labels) + " 1\n";
      if (suanli::monitor::parse_metrics_text(again, "again")[0].labels != sample.labels) __builtin_trap();
    }
    suanli::monitor::AlertEngine engine(std::move(rules));
    for (const double time : {0.0, 30.0, 400.0}) engine.observe(time, samples);
    suanli::monitor::AlertEngine({}).restore(engine.state());
  } catch (const suanli::UserError&) {
  }
  return 0;
}

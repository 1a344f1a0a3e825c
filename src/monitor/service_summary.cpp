#include "monitor/service_summary.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>

#include "monitor/counter_history.h"

namespace suanli::monitor {

namespace {

using Wanted = std::function<bool(const MetricSample&)>;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Two readings of the same service.
class Growth {
 public:
  Growth(const std::vector<MetricSample>& before, const std::vector<MetricSample>& after) : after_(after) {
    for (const MetricSample& sample : before) old_[sample.name + label_text(sample.labels)] = sample.value;
  }

  /// The increase of each series of `name` that is wanted, summed by its label `by` ("" where `by` is).
  std::map<std::string, double> by_label(std::string_view name, std::string_view by, const Wanted& wanted) const {
    std::map<std::string, double> out;
    for (const MetricSample& sample : after_) {
      if (sample.name != name || !wanted(sample)) continue;
      const auto was = old_.find(sample.name + label_text(sample.labels));
      const double old = was == old_.end() ? 0 : was->second;
      out[std::string(label_value(sample.labels, by))] += sample.value >= old ? sample.value - old : sample.value;
    }
    return out;
  }

  double all(std::string_view name, const Wanted& wanted) const {
    double sum = 0;
    for (const auto& [label, value] : by_label(name, "", wanted)) sum += value;
    return sum;
  }

  double quantile(double q, const Wanted& wanted) const {
    std::map<double, double> buckets;
    for (const auto& [bound, count] : by_label("suanli_request_duration_seconds_bucket", "le", wanted)) {
      double value = 0;
      if (read_metric_value(bound, &value)) buckets[value] = count;
    }
    return histogram_quantile(q, buckets);
  }

 private:
  const std::vector<MetricSample>& after_;
  std::unordered_map<std::string, double> old_;
};

double value_of(const std::vector<MetricSample>& samples, std::string_view name, double otherwise,
                const Wanted& wanted) {
  double sum = 0;
  bool found = false;
  for (const MetricSample& sample : samples) {
    if (sample.name != name || !wanted(sample)) continue;
    sum += sample.value;
    found = true;
  }
  return found ? sum : otherwise;
}

bool is_work(const MetricSample& sample) { return !is_watching(label_value(sample.labels, "route")); }
bool any(const MetricSample&) { return true; }

std::string in_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", value);
  return text;
}

ModelSummary summarize_model(const MetricSample& info, const std::vector<MetricSample>& after, const Growth& growth,
                             double seconds) {
  ModelSummary out{.name = std::string(label_value(info.labels, "model")),
                   .kind = std::string(label_value(info.labels, "kind")),
                   .version = std::string(label_value(info.labels, "version"))};
  const Wanted own = [&](const MetricSample& sample) { return label_value(sample.labels, "model") == out.name; };
  const Wanted work = [&](const MetricSample& sample) { return own(sample) && is_work(sample); };
  out.requests_per_second = growth.all("suanli_requests_total", work) / seconds;
  out.tokens_per_second = growth.all("suanli_tokens_total", own) / seconds;
  out.p50 = growth.quantile(0.5, work);
  out.p95 = growth.quantile(0.95, work);
  out.p99 = growth.quantile(0.99, work);
  out.batch_size = growth.all("suanli_batch_size_sum", own) / growth.all("suanli_batch_size_count", own);
  out.queued = value_of(after, "suanli_queue_size", 0, own);
  for (const MetricSample& sample : after) {
    if (sample.name != "suanli_drift_detected" || !own(sample)) continue;
    ++out.drift_tests;
    if (sample.value == 0) continue;
    const auto feature = label_value(sample.labels, "feature"), test = label_value(sample.labels, "test");
    const double score = value_of(after, "suanli_drift_score", kNone, [&](const MetricSample& one) {
      return own(one) && label_value(one.labels, "feature") == feature && label_value(one.labels, "test") == test;
    });
    out.drifted.push_back(std::string(feature) + " " + std::string(test) + " " + in_digits(score));
  }
  const auto accuracy = [&](std::string_view bound) {
    return value_of(after, "suanli_live_accuracy", kNone,
                    [&](const MetricSample& one) { return own(one) && label_value(one.labels, "bound") == bound; });
  };
  out.accuracy = accuracy("estimate");
  out.accuracy_low = accuracy("low");
  out.accuracy_high = accuracy("high");
  out.labelled = value_of(after, "suanli_feedback_labelled", 0, own);
  return out;
}

}  // namespace

bool is_watching(std::string_view route) {
  constexpr std::string_view kRoutes[] = {"", "/metrics", "/ui", "/ui/{file}", "/health", "/ping", "/v2", "/v2/alerts"};
  if (std::ranges::count(kRoutes, route) > 0) return true;
  return route.starts_with("/api-doc") || route.starts_with("/v2/health") || route.ends_with("/ready") ||
         route.ends_with("/stats") || route.ends_with("/drift") || route.ends_with("/energy");
}

ServiceSummary summarize(const std::vector<MetricSample>& before, const std::vector<MetricSample>& after,
                         double seconds) {
  const Growth growth(before, after);
  ServiceSummary out{.seconds = seconds};
  for (const auto& [code, count] : growth.by_label("suanli_requests_total", "code", is_work)) {
    if (count > 0) out.codes[code] = count / seconds;
    out.requests_per_second += count / seconds;
  }
  out.tokens_per_second = growth.all("suanli_tokens_total", any) / seconds;
  out.p50 = growth.quantile(0.5, is_work);
  out.p95 = growth.quantile(0.95, is_work);
  out.p99 = growth.quantile(0.99, is_work);
  out.in_flight = value_of(after, "suanli_requests_in_flight", 0, any);
  out.queued = value_of(after, "suanli_queue_size", 0, any);
  out.joules = value_of(after, "suanli_energy_joules_total", kNone, any);
  out.watts = std::isnan(out.joules) ? kNone : growth.all("suanli_energy_joules_total", any) / seconds;
  out.cost = value_of(after, "suanli_cost_total", kNone, any);
  out.co2_kg = value_of(after, "suanli_co2_kilograms_total", kNone, any);
  for (const MetricSample& sample : after) {
    if (sample.name == "suanli_model_info") {
      out.models.push_back(summarize_model(sample, after, growth, seconds));
    } else if (sample.name == "suanli_energy_joules_total") {
      out.energy_source = label_value(sample.labels, "source");
    } else if (sample.name == "suanli_cost_total") {
      out.currency = label_value(sample.labels, "currency");
    } else if (sample.name == "suanli_alert_firing") {
      Labels rest = sample.labels;
      std::erase_if(rest, [](const auto& label) { return label.first == "alertname" || label.first == "severity"; });
      const std::string name(label_value(sample.labels, "alertname"));
      out.alerts.push_back(rest.empty() ? name : name + " " + label_text(rest));
    }
  }
  std::ranges::sort(out.models, {}, &ModelSummary::name);
  return out;
}

}  // namespace suanli::monitor

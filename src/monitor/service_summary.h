/// What two readings of /metrics say of a service: rates, quantiles, queues, drift, accuracy, energy, alerts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "monitor/metrics_text.h"

namespace suanli::monitor {

struct ModelSummary {
  std::string name, kind, version;
  double requests_per_second = 0, tokens_per_second = 0;
  double p50 = 0, p95 = 0, p99 = 0;  ///< seconds; NaN without a request between the readings
  double batch_size = 0;             ///< mean; NaN without a batch
  double queued = 0;
  std::vector<std::string> drifted = {};  ///< "feature test 0.31" of the tests that say drift
  size_t drift_tests = 0;
  double accuracy = 0, accuracy_low = 0, accuracy_high = 0, labelled = 0;  ///< labelled 0: no labels have come
};

struct ServiceSummary {
  double seconds = 0;                        ///< between the readings
  std::map<std::string, double> codes = {};  ///< requests a second by status
  double requests_per_second = 0;            ///< of all codes
  double tokens_per_second = 0;              ///< of all models
  double p50 = 0, p95 = 0, p99 = 0;          ///< seconds; NaN without a request between the readings
  double in_flight = 0, queued = 0;          ///< requests
  std::vector<ModelSummary> models = {};     ///< that are loaded
  std::string energy_source = "unknown";     ///< measured, modelled, unknown
  double joules = 0, watts = 0;              ///< since the server began; between the readings
  double cost = 0, co2_kg = 0;               ///< NaN where it is not known
  std::string currency = {};
  std::vector<std::string> alerts = {};  ///< those that fire: "p99 too high {route="/embed"}"
};

/// True for the routes that look at the server; requests to them count in no figure above.
bool is_watching(std::string_view route);

/// `before` and `after` were read `seconds` apart (above 0). A counter that fell has begun again at 0.
ServiceSummary summarize(const std::vector<MetricSample>& before, const std::vector<MetricSample>& after,
                         double seconds);

}  // namespace suanli::monitor

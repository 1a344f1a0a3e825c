/// What the files that fill a registry of prometheus-cpp share; internal to monitor/.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <string>

namespace suanli::monitor {

using Buckets = prometheus::Histogram::BucketBoundaries;
using HistogramFamily = prometheus::Family<prometheus::Histogram>;
using CounterFamily = prometheus::Family<prometheus::Counter>;
using GaugeFamily = prometheus::Family<prometheus::Gauge>;

/// 1, 2, 4, ... 2^15.
inline const Buckets& count_buckets() {
  static const Buckets buckets = [] {
    Buckets out;
    for (double bound = 1; bound <= 32768; bound *= 2) out.push_back(bound);
    return out;
  }();
  return buckets;
}

inline HistogramFamily& histogram(prometheus::Registry& registry, const std::string& name, const std::string& help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

inline CounterFamily& counter(prometheus::Registry& registry, const std::string& name, const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

inline GaugeFamily& gauge(prometheus::Registry& registry, const std::string& name, const std::string& help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

inline std::string text_of(const prometheus::Registry& registry) {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, registry.Collect());
  return out.str();
}

}  // namespace suanli::monitor

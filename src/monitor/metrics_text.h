/// Reads metrics as a Prometheus server does: the text format 0.0.4, strictly and within bounds.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace suanli::monitor {

/// Names and values of labels, sorted by name, no name twice.
using Labels = std::vector<std::pair<std::string, std::string>>;

struct MetricSample {
  std::string name;
  Labels labels;
  double value = 0;  ///< may be NaN or infinite
};

/// The value of the label `name`; "" where there is none, as in PromQL.
std::string_view label_value(const Labels& labels, std::string_view name);

/// `{a="1",b="2"}`, or nothing without labels; escaped as in the text format.
std::string label_text(const Labels& labels);

/// True for [a-zA-Z_:][a-zA-Z0-9_:]*.
bool is_metric_name(std::string_view name);
/// True for [a-zA-Z_][a-zA-Z0-9_]*.
bool is_label_name(std::string_view name);

/// A number of the text format: decimal, `+Inf`, `-Inf`, `NaN`. False where `text` is none.
bool read_metric_value(std::string_view text, double* value);

/// All samples of a text in its order; comments, HELP and TYPE lines and time stamps are passed over. At most 16 MiB,
/// 100,000 samples, 64 labels a sample. Throws UserError with the line: no UTF-8, a line that is no sample, a label
/// twice, a series twice, a last line without its end (the text was cut). `where` names the source in errors.
std::vector<MetricSample> parse_metrics_text(std::string_view text, std::string_view where);

}  // namespace suanli::monitor

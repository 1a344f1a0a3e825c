/// A forecaster: what follows a series.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "infer/prediction.h"
#include "models/forecast/forecast.h"

namespace suanli::infer {

class SeriesModel {
 public:
  /// Throws UserError.
  SeriesModel(const std::string& folder, const std::string& device, const std::string& precision);

  const models::ForecastConfig& config() const { return config_; }

  /// The last values are the context; `where` names the series. Throws UserError where there are fewer. Thread safe.
  Prepared prepare(std::span<const double> values, std::string_view where) const;

  /// numbers: the P values that follow, in the unit of the series; json: a list of {"step", "value"}.
  std::vector<Prediction> predict(std::span<const Prepared> series) const;

 private:
  LoadedNetwork network_;
  models::ForecastConfig config_;
};

}  // namespace suanli::infer

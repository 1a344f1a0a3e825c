/// The energy, cost and emissions of a training run: measured while it runs, written beside its results.
#pragma once

#include <filesystem>

#include "base/json.h"
#include "monitor/energy.h"
#include "monitor/price.h"
#include "tensor/device.h"
#include "train/arguments.h"

namespace suanli {

class EnergyAccount {
 public:
  /// Begins to measure the machine, and `device` where that is a GPU. Reads the price table of energy_prices, where one
  /// is given, and warns of an old one. Throws UserError like monitor::read_price_table.
  EnergyAccount(const TrainArguments& arguments, Device device);

  /// Adds a row to output_dir/emissions.csv and gives the "energy" of the run's manifest: {"joules", "source", "how",
  /// "seconds", "kwh", "cost", "currency", "co2_kg", "process_share", "table_date"}, null where it is not known.
  /// `manifest` says what the machine is. Throws EnvironmentError.
  Json finish(const Json& manifest);

 private:
  const TrainArguments& arguments_;
  monitor::PriceTable prices_;
  monitor::EnergyWatch watch_;
};

}  // namespace suanli

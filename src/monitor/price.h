/// What energy and machines cost and emit: a dated table that the user owns, and what a run comes to by it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "monitor/energy.h"

namespace suanli::monitor {

struct PriceTable {
  std::string date;    ///< YYYY-MM-DD: when the numbers held
  std::string source;  ///< where they come from
  std::string currency;
  std::optional<double> price_per_kwh, price_per_machine_hour;  ///< in the currency
  std::optional<double> grams_co2_per_kwh;                      ///< CO2 equivalents of the grid
  std::optional<MachinePower> power;
  std::string country_name, country_iso_code, region;  ///< "" where not given
};

/// Reads a flat YAML file (docs/energy.md lists the keys). Throws UserError with the line: unknown keys, numbers below
/// 0, a price without its currency, no date or source, half of a machine's power.
PriceTable read_price_table(const std::filesystem::path& file);

/// A warning where the table is more than a year older than `now` (seconds since 1970), else "".
std::string age_warning(const PriceTable& table, int64_t now);

/// What is known of a run: nothing is put in the place of what is not.
struct EnergyBill {
  std::optional<double> kwh;
  std::optional<double> cost;    ///< kwh and machine hours at their prices, of which one may be missing in the table
  std::optional<double> co2_kg;  ///< CO2 equivalents
};
EnergyBill bill_of(const EnergyReading& reading, const PriceTable& table);

}  // namespace suanli::monitor

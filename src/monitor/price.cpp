#include "monitor/price.h"

#include <chrono>
#include <cmath>
#include <cstdio>

#include "base/concat.h"
#include "base/config.h"
#include "base/error.h"

namespace suanli::monitor {
namespace {

const OptionTable& price_keys() {
  using enum OptionType;
  static const OptionTable table({
      {"date", text},
      {"source", text},
      {"currency", text},
      {"price_per_kwh", real},
      {"price_per_machine_hour", real},
      {"grams_co2_per_kwh", real},
      {"idle_watts", real},
      {"max_watts", real},
      {"country_name", text},
      {"country_iso_code", text},
      {"region", text},
  });
  return table;
}

/// Days since 1970; nothing for what is no date.
std::optional<int64_t> days_of(const std::string& date) {
  int year = 0, end = 0;
  unsigned month = 0, day = 0;
  const int read = std::sscanf(date.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &end);
  const auto at = std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  if (read != 3 || date.size() != 10 || end != 10 || !at.ok()) return std::nullopt;
  return std::chrono::sys_days(at).time_since_epoch().count();
}

std::optional<double> amount(const Config& config, const char* key) {
  if (!config.is_set(key)) return std::nullopt;
  const double value = config.get_float(key);
  if (value < 0) throw UserError(config.source(key), concat("expected ", key, " to be at least 0, got ", value));
  return value;
}

}  // namespace

PriceTable read_price_table(const std::filesystem::path& file) {
  Config config(price_keys());
  config.read_yaml(file);
  const auto refuse = [&](const std::string& expected) { throw UserError(file.string(), expected); };
  PriceTable table;
  table.date = config.get_text("date");
  if (table.date.empty()) refuse("expected a date (YYYY-MM-DD): prices without one cannot be trusted later; add it");
  if (!days_of(table.date)) {
    throw UserError(config.source("date"), concat("expected a date as YYYY-MM-DD, got \"", table.date, "\""));
  }
  table.source = config.get_text("source");
  if (table.source.empty()) refuse("expected a source, got none: say where the numbers come from");
  table.currency = config.get_text("currency");
  table.price_per_kwh = amount(config, "price_per_kwh");
  table.price_per_machine_hour = amount(config, "price_per_machine_hour");
  table.grams_co2_per_kwh = amount(config, "grams_co2_per_kwh");
  if ((table.price_per_kwh || table.price_per_machine_hour) && table.currency.empty()) {
    refuse("expected the currency of the prices, got none");
  }
  const auto idle = amount(config, "idle_watts"), most = amount(config, "max_watts");
  if (idle.has_value() != most.has_value()) refuse("expected idle_watts and max_watts together, got one of them");
  if (idle) {
    if (*most < *idle) refuse(concat("expected max_watts of at least idle_watts (", *idle, "), got ", *most));
    table.power = MachinePower{*idle, *most};
  }
  table.country_name = config.get_text("country_name");
  table.country_iso_code = config.get_text("country_iso_code");
  table.region = config.get_text("region");
  return table;
}

std::string age_warning(const PriceTable& table, int64_t now) {
  const auto days = days_of(table.date);
  const int64_t age = now / 86400 - days.value_or(0);
  if (age <= 365) return "";
  return concat("the price table is of ", table.date, ", ", age, " days old; look the numbers up again and date them");
}

EnergyBill bill_of(const EnergyReading& reading, const PriceTable& table) {
  EnergyBill bill;
  const auto joules = reading.joules();
  if (joules) bill.kwh = kilowatt_hours(*joules);
  if (bill.kwh && table.grams_co2_per_kwh) bill.co2_kg = *bill.kwh * *table.grams_co2_per_kwh / 1000;
  const bool energy_is_priced = table.price_per_kwh.has_value();
  if ((!energy_is_priced && !table.price_per_machine_hour) || (energy_is_priced && !bill.kwh)) return bill;
  bill.cost = table.price_per_machine_hour.value_or(0) * reading.seconds / 3600 +
              (energy_is_priced ? *bill.kwh * *table.price_per_kwh : 0);
  return bill;
}

}  // namespace suanli::monitor

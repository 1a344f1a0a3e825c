#include "train/energy_account.h"

#include <unistd.h>

#include <ctime>
#include <thread>

#include "base/concat.h"
#include "base/log.h"
#include "monitor/emissions.h"
#include "tensor/device_energy.h"

namespace suanli {
namespace {

monitor::PriceTable prices_of(const TrainArguments& arguments) {
  if (arguments.energy_prices.empty()) return {};
  monitor::PriceTable table = monitor::read_price_table(arguments.energy_prices);
  const std::string warning = monitor::age_warning(table, std::time(nullptr));
  if (!warning.empty()) log_warning(concat(arguments.energy_prices, ": ", warning));
  return table;
}

/// Local time as CodeCarbon writes it.
std::string local_time() {
  const time_t now = std::time(nullptr);
  tm local = {};
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", localtime_r(&now, &local));
  return text;
}

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }
Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

}  // namespace

EnergyAccount::EnergyAccount(const TrainArguments& arguments, Device device)
    : arguments_(arguments),
      prices_(prices_of(arguments)),
      watch_({.power = prices_.power, .uses_gpu = device.type == DeviceType::cuda, .gpu_joules = [device] {
                return device_joules(device);
              }}) {}

Json EnergyAccount::finish(const Json& manifest) {
  const monitor::EnergyReading reading = watch_.read();
  const Json& hardware = manifest["hardware"];
  monitor::EmissionsRow row = monitor::emissions_row(reading, prices_);
  row["timestamp"] = local_time();
  row["project_name"] = arguments_.run_name;
  row["run_id"] =
      concat(hardware["host"].get<std::string>(), '-', manifest["started"].get<std::string>(), '-', getpid());
  row["os"] = hardware["system"].get<std::string>();
  row["cpu_model"] = hardware["cpu"].get<std::string>();
  row["cpu_count"] = concat(std::thread::hardware_concurrency());
  row["ram_total_size"] = concat(hardware["memory_bytes"].get<double>() / (1 << 30));
  monitor::append_emissions(arguments_.output_dir / "emissions.csv", row);

  const monitor::EnergyBill bill = monitor::bill_of(reading, prices_);
  Json how = {{"cpu", reading.cpu.how}};
  if (reading.gpu) how["gpu"] = reading.gpu->how;
  return {{"joules", or_null(reading.joules())},
          {"source", monitor::name_of(reading.source())},
          {"how", how},
          {"seconds", reading.seconds},
          {"kwh", or_null(bill.kwh)},
          {"cost", or_null(bill.cost)},
          {"currency", or_null(prices_.currency)},
          {"co2_kg", or_null(bill.co2_kg)},
          {"process_share", or_null(reading.process_share)},
          {"table_date", or_null(prices_.date)}};
}

}  // namespace suanli

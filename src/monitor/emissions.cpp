#include "monitor/emissions.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"

namespace suanli::monitor {
namespace {

constexpr const char* kColumns[] = {"timestamp",
                                    "project_name",
                                    "run_id",
                                    "experiment_id",
                                    "duration",
                                    "emissions",
                                    "emissions_rate",
                                    "cpu_power",
                                    "gpu_power",
                                    "ram_power",
                                    "cpu_energy",
                                    "gpu_energy",
                                    "ram_energy",
                                    "energy_consumed",
                                    "water_consumed",
                                    "country_name",
                                    "country_iso_code",
                                    "region",
                                    "cloud_provider",
                                    "cloud_region",
                                    "os",
                                    "python_version",
                                    "codecarbon_version",
                                    "cpu_count",
                                    "cpu_model",
                                    "gpu_count",
                                    "gpu_model",
                                    "longitude",
                                    "latitude",
                                    "ram_total_size",
                                    "tracking_mode",
                                    "cpu_utilization_percent",
                                    "gpu_utilization_percent",
                                    "ram_utilization_percent",
                                    "ram_used_gb",
                                    "on_cloud",
                                    "pue",
                                    "wue"};

/// A field as RFC 4180 has it: quoted where it must be.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string emissions_header() {
  std::string header;
  for (const char* column : kColumns) header += concat(header.empty() ? "" : ",", column);
  return header + '\n';
}

/// Puts a file of another form out of the way.
void set_aside(const std::filesystem::path& file) {
  std::filesystem::path aside = concat(file, ".bak");
  for (int number = 1; std::filesystem::exists(aside); ++number) aside = concat(file, ".bak", number);
  std::error_code error;
  std::filesystem::rename(file, aside, error);
  if (error) throw EnvironmentError(file.string(), concat("cannot be renamed to ", aside, ": ", error.message()));
}

}  // namespace

std::span<const char* const> emissions_columns() { return kColumns; }

EmissionsRow emissions_row(const EnergyReading& reading, const PriceTable& table) {
  EmissionsRow row = {{"duration", concat(reading.seconds)},
                      {"tracking_mode", "machine"},
                      {"country_name", table.country_name},
                      {"country_iso_code", table.country_iso_code},
                      {"region", table.region}};
  const auto part = [&](const char* name, double joules) {
    row[concat(name, "_energy")] = concat(kilowatt_hours(joules));
    if (reading.seconds > 0) row[concat(name, "_power")] = concat(joules / reading.seconds);
  };
  if (reading.cpu.source != EnergySource::unknown) part("cpu", reading.cpu.joules);
  if (reading.memory_joules) part("ram", *reading.memory_joules);
  if (reading.gpu && reading.gpu->source != EnergySource::unknown) part("gpu", reading.gpu->joules);
  if (reading.cpu_load) row["cpu_utilization_percent"] = concat(100 * *reading.cpu_load);
  const EnergyBill bill = bill_of(reading, table);
  if (bill.kwh) row["energy_consumed"] = concat(*bill.kwh);
  if (!bill.co2_kg) return row;
  row["emissions"] = concat(*bill.co2_kg);
  if (reading.seconds > 0) row["emissions_rate"] = concat(*bill.co2_kg / reading.seconds);
  return row;
}

void append_emissions(const std::filesystem::path& file, const EmissionsRow& row) {
  for (const auto& [column, text] : row) {
    SUANLI_ASSERT(std::ranges::find(kColumns, std::string_view(column)) != std::end(kColumns));
  }
  const std::string header = emissions_header();
  std::string text = std::filesystem::exists(file) ? read_file(file) : "";
  if (!text.empty() && !text.starts_with(header)) {
    set_aside(file);
    text.clear();
  }
  if (text.empty()) text = header;
  if (text.back() != '\n') text += '\n';
  for (const char* column : kColumns) {
    const auto at = row.find(column);
    text += concat(column == kColumns[0] ? "" : ",", at == row.end() ? "" : csv_field(at->second));
  }
  write_file_atomically(file, text + '\n');
}

}  // namespace suanli::monitor

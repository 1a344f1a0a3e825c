/// emissions.csv as CodeCarbon writes it: one row a run, for tools that read that file.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "monitor/price.h"

namespace suanli::monitor {

/// The columns of CodeCarbon 3.3.2 in their order (output_methods/emissions_data.py).
std::span<const char* const> emissions_columns();

/// Text by column; a column that is missing is empty in the file: it is not known.
using EmissionsRow = std::map<std::string, std::string>;

/// What a reading says: duration (s), power (W), energy (kWh), emissions (kg CO2 equivalents) and their rate (kg/s),
/// utilisation (percent), the place of the table; tracking_mode is "machine". Of the run itself the caller adds
/// timestamp, project_name, run_id, and what it knows of the machine.
EmissionsRow emissions_row(const EnergyReading& reading, const PriceTable& table);

/// Adds a row at the end of `file`, which begins with the header. A file with another header, as of another version of
/// CodeCarbon, is first renamed to FILE.bak, FILE.bak1, ... A column that is none is our mistake. The file is written
/// whole or stays as it was. Throws EnvironmentError.
void append_emissions(const std::filesystem::path& file, const EmissionsRow& row);

}  // namespace suanli::monitor

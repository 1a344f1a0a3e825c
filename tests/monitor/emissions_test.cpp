// emissions.csv has CodeCarbon's columns in its order, and nothing that is not known.
#include "monitor/emissions.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace suanli::monitor {
namespace {

namespace fs = std::filesystem;

class Emissions : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    file_ = folder_ / "emissions.csv";
  }
  void TearDown() override { fs::remove_all(folder_); }
  static std::string golden() { return read_file(SUANLI_TESTS_DIR "/golden/monitor/emissions_header.csv"); }
  fs::path folder_, file_;
};

TEST_F(Emissions, TheHeaderIsCodeCarbons) {
  EXPECT_EQ(emissions_columns().size(), 38u);
  append_emissions(file_, {});
  EXPECT_EQ(read_file(file_), golden() + std::string(37, ',') + "\n") << "and an empty row";
}

TEST_F(Emissions, RowsAreAppended) {
  append_emissions(file_, {{"timestamp", "2025-03-01T10:00:00"}, {"cpu_model", "A, \"B\""}});
  append_emissions(file_, {{"wue", "0"}});
  EXPECT_EQ(read_file(file_), golden() + "2025-03-01T10:00:00" + std::string(24, ',') + "\"A, \"\"B\"\"\"" +
                                  std::string(13, ',') + "\n" + std::string(37, ',') + "0\n");
}

TEST_F(Emissions, AFileOfAnotherFormIsKeptAside) {
  write_file_atomically(file_, "timestamp,other\n1,2\n");
  write_file_atomically(folder_ / "emissions.csv.bak", "older\n");
  append_emissions(file_, {});
  EXPECT_TRUE(read_file(file_).starts_with(golden()));
  EXPECT_EQ(read_file(folder_ / "emissions.csv.bak"), "older\n");
  EXPECT_EQ(read_file(folder_ / "emissions.csv.bak1"), "timestamp,other\n1,2\n");
}

TEST_F(Emissions, ARowSaysWhatIsKnownInKilowattHoursAndKilograms) {
  PriceTable table;
  EnergyReading reading;
  reading.seconds = 100;
  const EmissionsRow unknown = emissions_row(reading, table);
  EXPECT_EQ(unknown.at("duration"), "100");
  for (const char* column : {"emissions", "energy_consumed", "cpu_energy", "cpu_power", "gpu_energy", "ram_energy"}) {
    EXPECT_FALSE(unknown.contains(column)) << column;
  }
  reading.cpu = {EnergySource::measured, 7.2e6, ""};
  reading.memory_joules = 3.6e6;
  reading.gpu = EnergyPart{EnergySource::measured, 3.6e6, ""};
  table.grams_co2_per_kwh = 500;
  const EmissionsRow row = emissions_row(reading, table);
  EXPECT_EQ(row.at("cpu_energy"), "2");
  EXPECT_EQ(row.at("cpu_power"), "72000");
  EXPECT_EQ(row.at("ram_energy"), "1");
  EXPECT_EQ(row.at("gpu_power"), "36000");
  EXPECT_EQ(row.at("energy_consumed"), "4");
  EXPECT_EQ(row.at("emissions"), "2");
  EXPECT_EQ(row.at("emissions_rate"), "0.02");
}

}  // namespace
}  // namespace suanli::monitor

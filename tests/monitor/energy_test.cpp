// Energy is measured from counters, modelled from power limits, or unknown, and never more than is known.
#include "monitor/energy.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/concat.h"
#include "expect_error.h"
#include "monitor/price.h"

namespace suanli::monitor {
namespace {

namespace fs = std::filesystem;

void put(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text << '\n';
}

/// A machine with the folders that the kernel shows, and clocks that the test moves.
class Energy : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(root_);
    cpu_time(0, 0);
  }
  void TearDown() override { fs::remove_all(root_); }

  void zone(const std::string& folder, const std::string& name, double microjoules, double range) {
    put(root_ / "powercap" / folder / "name", name);
    put(root_ / "powercap" / folder / "max_energy_range_uj", std::to_string(static_cast<int64_t>(range)));
    counter(folder, microjoules);
  }
  void counter(const std::string& folder, double microjoules) {
    put(root_ / "powercap" / folder / "energy_uj", std::to_string(static_cast<int64_t>(microjoules)));
  }
  /// Seconds of CPU time; a third of the busy ones each of user, nice and system.
  void cpu_time(double busy, double idle) {
    const auto ticks = static_cast<int64_t>(sysconf(_SC_CLK_TCK));
    const auto part = static_cast<int64_t>(busy * static_cast<double>(ticks) / 3);
    put(root_ / "proc" / "stat", concat("cpu  ", part, ' ', part, ' ', part, ' ',
                                        static_cast<int64_t>(idle * static_cast<double>(ticks)), " 0 0 0 0 0 0"));
  }
  EnergyOptions options() {
    return {.powercap = root_ / "powercap",
            .proc = root_ / "proc",
            .clock = [this] { return now_; },
            .process_cpu_seconds = [this] { return process_; }};
  }

  fs::path root_;
  double now_ = 100, process_ = 0;
};

TEST_F(Energy, RaplAddsPackagesAndMemoryAndNothingTwice) {
  zone("intel-rapl:0", "package-0", 5e6, 1e9);
  zone("intel-rapl:1", "package-1", 7e6, 1e9);
  zone("intel-rapl:0:0", "core", 1e6, 1e9);
  zone("intel-rapl:0:1", "dram", 2e6, 1e9);
  zone("intel-rapl:2", "psys", 1e6, 1e9);
  zone("intel-rapl-mmio:0", "package-0", 5e6, 1e9);
  EnergyMeter meter(options());
  for (const char* folder : {"intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0", "intel-rapl:2", "intel-rapl-mmio:0"}) {
    counter(folder, 17e6);
  }
  counter("intel-rapl:0:1", 3e6);
  now_ += 10;
  const EnergyReading reading = meter.read();
  EXPECT_EQ(reading.source(), EnergySource::measured);
  EXPECT_DOUBLE_EQ(reading.cpu.joules, 12 + 10);
  EXPECT_DOUBLE_EQ(reading.memory_joules.value_or(0), 1);
  EXPECT_DOUBLE_EQ(reading.joules().value_or(0), 23);
  EXPECT_EQ(reading.seconds, 10);
}

TEST_F(Energy, RaplCountersWrap) {
  zone("intel-rapl:0", "package-0", 900, 1000);
  EnergyMeter meter(options());
  counter("intel-rapl:0", 200);
  EXPECT_DOUBLE_EQ(meter.read().cpu.joules, 300e-6) << "100 to the end of the range, and 200";
  counter("intel-rapl:0", 950);
  meter.read();
  counter("intel-rapl:0", 50);
  EXPECT_DOUBLE_EQ(meter.read().cpu.joules, 1150e-6) << "read once a wrap, none is lost";
}

TEST_F(Energy, ACounterThatMayNotBeReadIsSaidSo) {
  zone("intel-rapl:0", "package-0", 900, 1000);
  const fs::path file = root_ / "powercap/intel-rapl:0/energy_uj";
  if (geteuid() == 0) {  // root reads all: a folder in the file's place
    fs::remove(file);
    fs::create_directory(file);
  } else {
    fs::permissions(file, fs::perms::none);
  }
  EnergyMeter meter(options());
  const EnergyReading reading = meter.read();
  EXPECT_EQ(reading.source(), EnergySource::unknown);
  EXPECT_NE(reading.cpu.how.find("energy_uj cannot be read: "), std::string::npos) << reading.cpu.how;
}

TEST_F(Energy, ACounterThatIsLostMakesTheWholeUnknown) {
  zone("intel-rapl:0", "package-0", 900, 1000);
  EnergyMeter meter(options());
  counter("intel-rapl:0", 950);
  EXPECT_EQ(meter.read().source(), EnergySource::measured);
  fs::remove(root_ / "powercap/intel-rapl:0/energy_uj");
  EXPECT_FALSE(meter.read().joules().has_value()) << "what was used since is not known";
}

TEST_F(Energy, ModelIsLinearInTheLoad) {
  EnergyOptions given = options();
  given.power = MachinePower{40, 200};
  EnergyMeter meter(given);
  now_ += 100;
  process_ += 75;
  cpu_time(150, 450);
  const EnergyReading reading = meter.read();
  EXPECT_EQ(reading.source(), EnergySource::modelled);
  EXPECT_DOUBLE_EQ(reading.cpu_load.value_or(0), 0.25);
  EXPECT_DOUBLE_EQ(reading.joules().value_or(0), 100 * (40 + 0.25 * 160));
  EXPECT_DOUBLE_EQ(reading.process_share.value_or(0), 0.5);
  EXPECT_NE(reading.cpu.how.find("no RAPL counter"), std::string::npos) << "says why it is not measured";
}

TEST_F(Energy, WithoutTheMachinesTimeTheProcessStandsForIt) {
  fs::remove(root_ / "proc/stat");
  EnergyOptions given = options();
  given.power = MachinePower{40, 200};
  EnergyMeter meter(given);
  now_ += 10;
  process_ += 10;
  const EnergyReading reading = meter.read();
  EXPECT_DOUBLE_EQ(reading.cpu_load.value_or(0), 1.0 / std::max(1U, std::thread::hardware_concurrency()));
  EXPECT_FALSE(reading.process_share.has_value());
}

TEST_F(Energy, WhatIsNotKnownIsUnknown) {
  EnergyMeter meter(options());
  now_ += 10;
  cpu_time(5, 5);
  const EnergyReading reading = meter.read();
  EXPECT_EQ(reading.source(), EnergySource::unknown);
  EXPECT_FALSE(reading.joules().has_value());
  EXPECT_NE(reading.cpu.how.find("give idle_watts and max_watts"), std::string::npos);
}

TEST_F(Energy, TheGpuCountsWhereTheWorkUsesIt) {
  zone("intel-rapl:0", "package-0", 0, 1e9);
  double gpu = 500;
  EnergyOptions given = options();
  given.uses_gpu = true;
  given.gpu_joules = [&gpu] { return gpu; };
  EnergyMeter meter(given);
  gpu += 70;
  counter("intel-rapl:0", 3e6);
  EXPECT_DOUBLE_EQ(meter.read().joules().value_or(0), 73);
  given.gpu_joules = {};
  EnergyMeter blind(given);
  EXPECT_FALSE(blind.read().joules().has_value()) << "a CPU's joules are not those of a run on a GPU";
}

TEST_F(Energy, TheWatchReadsFromAnyThread) {
  EnergyWatch watch(options());
  std::thread other([&] { watch.read(); });
  watch.read();
  other.join();
}

TEST(EnergyShares, AreByTokens) {
  EXPECT_EQ(request_joules(90, 10, 30), 30);
  EXPECT_EQ(request_joules(90, 0, 30), 0);
  error_of([] { request_joules(90, 31, 30); });
  error_of([] { request_joules(90, 0, 0); });
  EXPECT_EQ(kilowatt_hours(3.6e6), 1);
}

class EnergyPrices : public Energy {
 protected:
  PriceTable table(const std::string& text) {
    put(root_ / "prices.yaml", text);
    return read_price_table(root_ / "prices.yaml");
  }
  std::string refusal(const std::string& text) {
    return error_of([&] { table(text); });
  }
};

TEST_F(EnergyPrices, BillsWhatIsKnown) {
  const PriceTable full = table(
      "date: 2025-03-01\nsource: contract\ncurrency: EUR\nprice_per_kwh: 0.2\nprice_per_machine_hour: 3\n"
      "grams_co2_per_kwh: 400\nidle_watts: 50\nmax_watts: 250\n");
  EnergyReading reading;
  reading.seconds = 1800;
  EXPECT_FALSE(bill_of(reading, full).cost.has_value()) << "a part of the cost is unknown";
  EXPECT_FALSE(bill_of(reading, full).co2_kg.has_value());
  reading.cpu = {EnergySource::measured, 7.2e6, ""};
  const EnergyBill bill = bill_of(reading, full);
  EXPECT_DOUBLE_EQ(bill.kwh.value_or(0), 2);
  EXPECT_DOUBLE_EQ(bill.cost.value_or(0), 2 * 0.2 + 1.5);
  EXPECT_DOUBLE_EQ(bill.co2_kg.value_or(0), 0.8);
  const PriceTable hours = table("date: 2025-03-01\nsource: s\ncurrency: EUR\nprice_per_machine_hour: 3\n");
  EXPECT_DOUBLE_EQ(bill_of({.seconds = 1800}, hours).cost.value_or(0), 1.5) << "the hour is the whole price";
  const PriceTable nothing = table("date: 2025-03-01\nsource: s\n");
  EXPECT_FALSE(bill_of(reading, nothing).cost.has_value());
  EXPECT_TRUE(bill_of(reading, nothing).kwh.has_value());
}

TEST_F(EnergyPrices, ATableHasADateAndASource) {
  EXPECT_NE(refusal("source: s\n").find("expected a date (YYYY-MM-DD)"), std::string::npos);
  EXPECT_NE(refusal("date: 2025-02-30\nsource: s\n").find("prices.yaml:1] expected a date as YYYY-MM-DD"),
            std::string::npos);
  EXPECT_NE(refusal("date: 2025-2-3\nsource: s\n").find("expected a date"), std::string::npos);
  EXPECT_NE(refusal("date: 2025-02-03\n").find("expected a source"), std::string::npos);
  EXPECT_NE(refusal("date: 2025-02-03\nsource: s\nprice_per_kwh: 1\n").find("expected the currency"),
            std::string::npos);
  EXPECT_NE(refusal("date: 2025-02-03\nsource: s\nidle_watts: 1\n").find("together"), std::string::npos);
  EXPECT_NE(refusal("date: 2025-02-03\nsource: s\nidle_watts: 9\nmax_watts: 1\n").find("at least idle_watts"),
            std::string::npos);
  EXPECT_NE(refusal("date: 2025-02-03\nsource: s\ngrams_co2_per_kwh: -1\n").find(":3] expected grams_co2_per_kwh"),
            std::string::npos);
  EXPECT_NE(refusal("date: 2025-02-03\nsource: s\nprice_per_kw: 1\n").find("price_per_kwh"), std::string::npos)
      << "the nearest name";
}

TEST_F(EnergyPrices, AnOldTableIsWarnedOf) {
  const PriceTable prices = table("date: 2024-03-01\nsource: s\n");
  constexpr int64_t kDay = 86400, kDate = 1709251200;  // 2024-03-01T00:00:00Z
  EXPECT_EQ(age_warning(prices, kDate + 365 * kDay), "");
  EXPECT_NE(age_warning(prices, kDate + 366 * kDay).find("2024-03-01, 366 days old"), std::string::npos);
}

}  // namespace
}  // namespace suanli::monitor

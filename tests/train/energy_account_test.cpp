// A run says what energy it took, by what it is known, and what that comes to by the user's prices.
#include "train/energy_account.h"

#include <algorithm>

#include "expect_error.h"
#include "tensor/device_energy.h"
#include "tiny_run.h"
#include "train/run.h"

namespace suanli {
namespace {

/// The options of a short run in a new folder, on the CPU.
std::vector<std::string> short_run(const std::filesystem::path& folder, const std::string& prices) {
  initialize();
  std::filesystem::create_directories(folder / "model");
  models::save_model(models::new_model(tiny_config(), {.head = models::Head::none, .labels = {}}), folder / "model");
  tiny_tokenizer().save(folder / "model");
  std::string lines = "text,label\n";
  for (const Example& example : tiny_examples(16, 1)) lines += example.text + "," + example.labels[0] + "\n";
  write_file_atomically(folder / "data.csv", lines);
  write_file_atomically(folder / "prices.yaml", prices);
  return {"task=text-classification",
          "model_name_or_path=" + (folder / "model").string(),
          "train_file=" + (folder / "data.csv").string(),
          "output_dir=" + (folder / "out").string(),
          "energy_prices=" + (folder / "prices.yaml").string(),
          "num_train_epochs=1",
          "precision=f32",
          "disable_tqdm=true"};
}

int run(const std::vector<std::string>& words) {
  Config config(train_options());
  config.read_arguments(words);
  testing::internal::CaptureStdout();
  const int code = run_training(config);
  testing::internal::GetCapturedStdout();
  return code;
}

TEST(EnergyAccount, TheManifestAndEmissionsSayWhatARunTook) {
  const auto folder = fresh_folder("energy");
  const auto words = short_run(folder,
                               "date: 2099-01-01\nsource: test\ncurrency: EUR\nprice_per_kwh: 0.5\n"
                               "grams_co2_per_kwh: 400\nidle_watts: 50\nmax_watts: 50\n");
  ASSERT_EQ(run(words), 0);
  const Json manifest = read_json(folder / "out" / "run_manifest.json");
  EXPECT_EQ(manifest["inputs"]["energy_prices"][0]["sha256"].get<std::string>().size(), 64u);
  const Json& energy = manifest["energy"];
  const double seconds = energy["seconds"].get<double>(), joules = energy["joules"].get<double>();
  EXPECT_GT(seconds, 0);
  if (energy["source"] == "modelled") {
    EXPECT_NEAR(joules, 50 * seconds, 1e-9 * joules) << "50 W at any load";
  } else {
    EXPECT_EQ(energy["source"], "measured");
  }
  EXPECT_NEAR(energy["kwh"].get<double>(), joules / 3.6e6, 1e-12);
  EXPECT_NEAR(energy["cost"].get<double>(), joules / 3.6e6 * 0.5, 1e-12);
  EXPECT_NEAR(energy["co2_kg"].get<double>(), joules / 3.6e6 * 0.4, 1e-12);
  EXPECT_EQ(energy["table_date"], "2099-01-01");

  ASSERT_EQ(run(words), 0);
  const std::string rows = read_file(folder / "out" / "emissions.csv");
  EXPECT_EQ(std::ranges::count(rows, '\n'), 3) << "a header and a row for each run";
}

TEST(EnergyAccount, WithoutPricesNothingIsInvented) {
  TrainArguments arguments;
  arguments.output_dir = fresh_folder("energy_unknown");
  const Device gpu = {DeviceType::cuda, 0};
  if (device_joules(gpu)) return;  // a machine that counts them
  EnergyAccount account(arguments, gpu);
  const Json energy = account.finish(
      {{"started", "2025-03-01T00:00:00Z"},
       {"hardware", {{"host", "h"}, {"system", "Linux"}, {"cpu", "c"}, {"memory_bytes", int64_t{1} << 30}}}});
  EXPECT_EQ(energy["source"], "unknown") << "a GPU without a counter";
  for (const char* key : {"joules", "kwh", "cost", "currency", "co2_kg", "table_date"}) {
    EXPECT_TRUE(energy[key].is_null()) << key;
  }
  EXPECT_NE(read_file(arguments.output_dir / "emissions.csv").find(",Linux,,,"), std::string::npos);
}

TEST(EnergyAccount, ABadPriceTableEndsTheRunBeforeItTrains) {
  const auto folder = fresh_folder("energy_bad");
  const auto words = short_run(folder, "source: test\n");
  EXPECT_NE(error_of([&] { run(words); }).find("prices.yaml] expected a date"), std::string::npos);
  testing::internal::GetCapturedStdout();
  EXPECT_FALSE(std::filesystem::exists(folder / "out" / "trainer_state.json"));
}

}  // namespace
}  // namespace suanli

// Learning rates equal those of transformers' schedules at every step, also after the last.
#include "optim/schedule.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"

namespace suanli::optim {
namespace {

TEST(Schedule, RatesAreThoseOfTransformers) {
  const Json golden = read_json(std::string(SUANLI_TESTS_DIR) + "/golden/optim/values.json")["schedules"];
  ASSERT_EQ(golden.size(), 8U);
  for (const Json& c : golden) {
    const Schedule schedule = {.kind = c["kind"],
                               .peak = c["peak"],
                               .warmup = c["warmup"],
                               .total = c["total"],
                               .end = c.value("lr_end", 1e-7),
                               .power = c.value("power", 1.0),
                               .cycles = c.value("num_cycles", 0.5)};
    for (size_t done = 0; done < c["rates"].size(); ++done) {
      // Both sides compute in f64; 1e-18 against a peak of 2e-4 is 1e-14 relative.
      EXPECT_NEAR(schedule.learning_rate(static_cast<int64_t>(done)), c["rates"][done].get<double>(), 2e-18)
          << schedule.kind << " step " << done;
    }
  }
}

TEST(Schedule, AnUnknownKindIsRefused) {
  Schedule schedule;
  schedule.kind = "linaer";
  EXPECT_THROW(schedule.learning_rate(0), UserError);
}

}  // namespace
}  // namespace suanli::optim

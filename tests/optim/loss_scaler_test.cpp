// The scale rises and falls as torch.amp.GradScaler's, down to 1.
#include "optim/loss_scaler.h"

#include <gtest/gtest.h>

namespace suanli::optim {
namespace {

TEST(LossScaler, HalvesAtAnOverflowAndDoublesAfter2000StepsWithoutOne) {
  LossScaler scaler;
  EXPECT_EQ(scaler.scale, 65536);
  scaler.update(true);
  EXPECT_EQ(scaler, (LossScaler{32768, 0}));
  for (int step = 1; step < 2000; ++step) scaler.update(false);
  EXPECT_EQ(scaler, (LossScaler{32768, 1999}));
  scaler.update(false);
  EXPECT_EQ(scaler, (LossScaler{65536, 0}));
  scaler.update(false);
  scaler.update(true);
  EXPECT_EQ(scaler, (LossScaler{32768, 0})) << "an overflow begins the count anew";
}

TEST(LossScaler, StaysFromOneToWhatF32Holds) {
  LossScaler scaler = {2, 0};
  scaler.update(true);
  scaler.update(true);
  EXPECT_EQ(scaler.scale, 1);
  scaler = {0x1p127, 1999};
  scaler.update(false);
  EXPECT_EQ(scaler, (LossScaler{0x1p127, 0}));
}

}  // namespace
}  // namespace suanli::optim

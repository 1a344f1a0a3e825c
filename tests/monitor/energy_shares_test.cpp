// The machine's joules are shared out by tokens: nothing is lost, nothing is taken back.
#include "monitor/energy_shares.h"

#include <gtest/gtest.h>

namespace suanli::monitor {
namespace {

double sum(const EnergyShares& shares) {
  double out = 0;
  for (const auto& [model, joules] : shares.joules()) out += joules;
  return out;
}

TEST(EnergyShares, AnIntervalGoesToWhoComputedInIt) {
  EnergyShares shares;
  shares.observe(10, {{"a", 0}, {"b", 0}});
  EXPECT_EQ(shares.joules().at(""), 10) << "at rest";
  EXPECT_FALSE(shares.joules_per_token());
  shares.observe(50, {{"a", 30}, {"b", 10}});
  EXPECT_DOUBLE_EQ(shares.joules().at("a"), 30);
  EXPECT_DOUBLE_EQ(shares.joules().at("b"), 10);
  EXPECT_DOUBLE_EQ(*shares.joules_per_token(), 1);
  shares.observe(70, {{"a", 30}, {"b", 110}});
  EXPECT_DOUBLE_EQ(shares.joules().at("a"), 30) << "it did nothing in this one";
  EXPECT_DOUBLE_EQ(shares.joules().at("b"), 30);
  EXPECT_DOUBLE_EQ(*shares.joules_per_token(), 0.2);
  EXPECT_DOUBLE_EQ(sum(shares), 70);
}

TEST(EnergyShares, AModelLoadedAnewCountsFromNothing) {
  EnergyShares shares;
  shares.observe(20, {{"a", 1000}, {"b", 1000}});
  shares.observe(60, {{"a", 10}, {"b", 1030}});
  EXPECT_DOUBLE_EQ(shares.joules().at("a"), 10 + 10);
  EXPECT_DOUBLE_EQ(shares.joules().at("b"), 10 + 30);
  shares.observe(70, {{"b", 1040}});
  EXPECT_DOUBLE_EQ(shares.joules().at("a"), 20) << "one that has gone keeps what it took";
  EXPECT_DOUBLE_EQ(sum(shares), 70);
}

}  // namespace
}  // namespace suanli::monitor

// Tables of items and interactions: what is liked and in which order; what cannot be read is named.
#include "data/interactions.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "expect_error.h"

namespace suanli {
namespace {

std::filesystem::path written(const std::string& name, const std::string& text) {
  const auto file = std::filesystem::path(testing::TempDir()) / ("suanli_interactions_" + name);
  write_file_atomically(file, text);
  return file;
}

ItemTable letters() { return {{{"a", "A", ""}, {"b", "B", ""}, {"c", "C", "x|y"}}, "letters"}; }

TEST(Items, AreReadByTheirColumnsAndWrittenAsTheyWere) {
  const ItemTable items = read_items(
      written("items.csv", "movieId,genres,title,year\n1,Drama|War,\"Story, A \"\"true\"\" one\",1995\n2,,B,1\n"));
  ASSERT_EQ(items.size(), 2);
  EXPECT_EQ(items[0].title, "Story, A \"true\" one");
  EXPECT_EQ(text_of(items[0]), "Story, A \"true\" one. Drama, War");
  EXPECT_EQ(text_of(items[1]), "B");
  EXPECT_EQ(items.find("2"), 1);
  EXPECT_EQ(items.find("3"), -1);
  const auto again = std::filesystem::path(testing::TempDir()) / "suanli_interactions_again.csv";
  write_items(items, again);
  const ItemTable read = read_items(again);
  ASSERT_EQ(read.size(), 2);
  EXPECT_EQ(read[0].title, items[0].title);
  EXPECT_EQ(read[0].genres, items[0].genres);
  EXPECT_EQ(read[1].id, "2");
}

TEST(Items, WhatIsNoTableOfThemIsRefused) {
  EXPECT_NE(error_of([] { read_items(written("twice.csv", "id,title\n7,A\n7,B\n")); }).find("\"7\" twice"),
            std::string::npos);
  EXPECT_NE(error_of([] { read_items(written("none.csv", "id,title\n,A\n")); }).find("id of item 1"),
            std::string::npos);
  EXPECT_NE(error_of([] { read_items(written("column.csv", "id,genres\n1,A\n")); }).find("a column title"),
            std::string::npos);
  EXPECT_NE(error_of([] { ItemTable({}, "here"); }).find("here"), std::string::npos);
}

TEST(Interactions, AreInTheOrderOfTimeAndTheLastOfAnItemCounts) {
  const Interactions read = read_interactions(written("ratings.csv",
                                                      "userId,movieId,rating,timestamp\n"
                                                      "u,a,5,30\nv,b,4,2020-01-02\nu,b,3.5,10\nu,c,5,20\nu,a,1,5\n"
                                                      "u,z,5,1\nv,a,5,2020-01-01T12:00:00Z\n"),
                                              letters(), 4);
  EXPECT_EQ(read.users, (std::vector<std::string>{"u", "v"}));
  EXPECT_EQ(read.user.at("v"), 1);
  EXPECT_EQ(read.unknown, 1) << "z is no item";
  const auto items = [&](size_t user) {
    std::vector<int32_t> out;
    for (const Interaction& each : read.of_user[user]) out.push_back(each.item);
    return out;
  };
  EXPECT_EQ(items(0), (std::vector<int32_t>{1, 2, 0})) << "a at its last time";
  EXPECT_FALSE(read.of_user[0][0].liked);
  EXPECT_TRUE(read.of_user[0][2].liked) << "the rating of its last time";
  EXPECT_EQ(items(1), (std::vector<int32_t>{0, 1}));
}

TEST(Interactions, OfOneTimeAreNotInTheOrderOfTheFile) {
  std::string csv = "user,item,timestamp\n";
  std::vector<Item> items;
  for (int i = 0; i < 40; ++i) {
    items.push_back({std::to_string(i), "t", ""});
    csv += "u," + std::to_string(i) + ",7\n";
  }
  const auto order = [&](const std::string& text) {
    const Interactions read = read_interactions(written("ties.csv", text), ItemTable(items, "items"), 4);
    std::vector<int32_t> out;
    for (const Interaction& each : read.of_user[0]) out.push_back(each.item);
    return out;
  };
  const std::vector<int32_t> once = order(csv);
  EXPECT_FALSE(std::ranges::is_sorted(once));
  EXPECT_TRUE(std::ranges::all_of(once, [&](int32_t item) { return std::ranges::count(once, item) == 1; }));
  std::string reversed = "user,item,timestamp\n";
  for (int i = 39; i >= 0; --i) reversed += "u," + std::to_string(i) + ",7\n";
  EXPECT_EQ(order(reversed), once) << "a matter of user and item alone";
}

TEST(Interactions, WhatCannotBeReadIsNamedWithItsLine) {
  const auto refusal = [](const std::string& text) {
    return error_of([&] { read_interactions(written("bad.csv", text), letters(), 4); });
  };
  EXPECT_NE(refusal("user,item,rating\nu,a,5\n").find("a column timestamp"), std::string::npos);
  EXPECT_NE(refusal("item,timestamp\na,5\n").find("a column user"), std::string::npos);
  EXPECT_NE(refusal("user,item,timestamp\nu,a,5\nu,b,NaN\n").find("bad.csv:3"), std::string::npos);
  EXPECT_NE(refusal("user,item,timestamp\nu,a,inf\n").find("finite"), std::string::npos);
  EXPECT_NE(refusal("user,item,rating,timestamp\nu,a,good,5\n").find("rating"), std::string::npos);
  EXPECT_NE(refusal("user,item,timestamp\n,a,5\n").find("bad.csv:2"), std::string::npos);
  EXPECT_NE(refusal("user,item,timestamp\nu,z,5\n").find("found none"), std::string::npos);
}

}  // namespace
}  // namespace suanli

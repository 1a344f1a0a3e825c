// Pages are well-formed whatever the texts hold; axes have round numbers; lines break where a number is not finite.
#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <pugixml.hpp>

#include "page/html.h"
#include "page/plot.h"

namespace suanli::page {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

pugi::xml_document parsed(const std::string& xml) {
  pugi::xml_document document;
  const auto result = document.load_string(xml.c_str(), pugi::parse_full);
  EXPECT_TRUE(result) << result.description() << " at " << xml.substr(static_cast<size_t>(result.offset), 80);
  return document;
}

const std::string kHostile =
    "</title><script>alert('1')</script> & \"x\" ]]> <!-- \x01\x7F\xFF\xEF\xBF\xBF \xE5\xA5\xBD";

TEST(Html, HostileTextIsTextAndNothingElse) {
  EXPECT_EQ(escaped("<a href=\"x\">'&'</a>\x02\t"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;\t");
  EXPECT_EQ(escaped("a\xFFz\xEF\xBF\xBE"), "a\xEF\xBF\xBDz\xEF\xBF\xBD") << "U+FFFD for what XML cannot hold";
  const std::vector<Cells> rows = {{kHostile, "<b>"}};
  const std::string page = document(kHostile, table({"a", kHostile}, rows));
  EXPECT_EQ(page.find("<script"), std::string::npos);
  const auto tree = parsed(page);
  EXPECT_STREQ(tree.select_node("//tr[2]/td[2]").node().text().get(), "<b>");
}

TEST(Ticks, AreRoundFewAndInside) {
  EXPECT_EQ(ticks(0, 1), (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
  EXPECT_EQ(ticks(-3, 12), (std::vector<double>{0, 5, 10}));
  for (const auto& [begin, end] : std::vector<std::pair<double, double>>{
           {-1e-7, 3e-7}, {1e5, 1.00001e5}, {-2, 999}, {1e300, 1.5e300}, {1, 1 + 1e-8}}) {
    const auto all = ticks(begin, end);
    EXPECT_LE(all.size(), 6U);
    for (const double tick : all) {
      EXPECT_GE(tick, begin - (end - begin) * 1e-6);
      EXPECT_LE(tick, end + (end - begin) * 1e-6);
    }
  }
}

TEST(Figure, ALineHasAGapWhereANumberIsNotFinite) {
  const auto tree = parsed(figure(
      {.title = "loss",
       .description = "d",
       .x = {.label = "step"},
       .y = {.label = "loss"},
       .series = {{.name = "a", .points = {{0, 1}, {10, 2}, {20, kNan}, {30, 1}, {40, 3}, {50, kNan}, {60, 2}}}}}));
  EXPECT_EQ(tree.select_nodes("//polyline").size(), 2U);
  EXPECT_EQ(tree.select_nodes("//circle").size(), 1U) << "the point alone";
  EXPECT_STREQ(tree.select_node("//svg/title").node().text().get(), "loss");
  EXPECT_STREQ(tree.select_node("//svg/desc").node().text().get(), "d");
  EXPECT_EQ(tree.select_nodes("//details//td[text()='none']").size(), 2U) << "the table says what is missing";
}

TEST(Figure, PointsLieWhereTheAxesSay) {
  const auto tree = parsed(figure({.title = "t",
                                   .description = "",
                                   .x = {.label = "x", .begin = 0, .end = 1},
                                   .y = {.label = "y", .begin = 0, .end = 1},
                                   .series = {{.name = "a", .points = {{0, 0}, {1, 1}}}}}));
  EXPECT_STREQ(tree.select_node("//polyline").node().attribute("points").value(), "58,256 428,10")
      << "from the lower left to the upper right corner";
}

TEST(Figure, EmptyConstantHugeAndHostileSeriesAreDrawnAllTheSame) {
  std::vector<std::pair<double, double>> many;
  for (int i = 0; i < 100000; ++i) many.emplace_back(i, i % 2 == 0 ? 1e299 : -1e299);
  for (const auto& points :
       std::vector<std::vector<std::pair<double, double>>>{{}, {{kNan, kNan}}, {{1, 5}, {2, 5}}, {{0, 0}}, many}) {
    for (const Mark mark : {Mark::line, Mark::dots, Mark::bars}) {
      const std::string html = figure({.title = kHostile,
                                       .description = kHostile,
                                       .x = {.label = kHostile},
                                       .y = {.label = kHostile},
                                       .series = {{.name = kHostile, .points = points, .mark = mark},
                                                  {.name = "b", .points = points, .mark = mark}}});
      parsed(html);
      EXPECT_EQ(html.find("<script"), std::string::npos);
      EXPECT_EQ(html.find("nan"), std::string::npos);
      EXPECT_EQ(html.find("\"inf"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace suanli::page

// What inspect says of a file is what stands in it, whatever the format and the number of threads.
#include "data/inspection.h"

#include <string>

#include <gtest/gtest.h>

#include "base/parallel.h"
#include "expect_error.h"

namespace suanli {
namespace {

Inspection inspected(const std::string& text, FileFormat format = FileFormat::csv, InspectOptions options = {},
                     OnBadRow on_bad_row = OnBadRow::error) {
  RowOptions rows;
  rows.format = format;
  rows.on_bad_row = on_bad_row;
  return inspect(*open_rows(ByteSource::from_text(text, "d"), rows), options);
}

TEST(Inspect, TypesMissingCellsAndDistributions) {
  const Inspection i = inspected(
      "n,x,yes,day,colour,note,empty,odd,label\n"
      "1,0.5,true,2024-01-01,red,first words here,,1,a\n"
      "2,NA,false,2024-01-02,blue,other words,,x,a\n"
      "3,1.5,true,,red,\"third, quoted\",,3,b\n"
      "4,2.5,,2024-01-04,red,fourth,,4,a\n");
  ASSERT_EQ(i.rows, 4);
  std::vector<std::string> types;
  for (const ColumnSummary& c : i.columns) types.push_back(c.type);
  EXPECT_EQ(types, (std::vector<std::string>{"integer", "number", "boolean", "date", "category", "text", "empty",
                                             "mixed", "category"}));
  EXPECT_EQ(i.columns[1].missing, 1);
  EXPECT_EQ(i.columns[1].values.mean, 1.5);
  EXPECT_EQ(i.columns[1].values.standard_deviation, 1.0);
  EXPECT_EQ(i.columns[1].values.quantiles[3], 1.5);
  EXPECT_EQ(i.columns[0].values.min, 1);
  EXPECT_EQ(i.columns[0].values.max, 4);
  EXPECT_EQ(i.columns[4].frequent[0], (std::pair<std::string, int64_t>{"red", 3}));
  EXPECT_EQ(i.columns[5].lengths.max, 3);
  EXPECT_EQ(i.columns[5].distinct, 4);
  EXPECT_EQ(i.columns[6].missing, 4);
  EXPECT_EQ(i.label_column, "label");
  EXPECT_EQ(i.labels, (std::vector<std::pair<std::string, int64_t>>{{"a", 3}, {"b", 1}}));
  double share = 0;
  for (const double bin : i.columns[0].values.histogram) share += bin;
  EXPECT_NEAR(share, 1, 1e-12);
}

TEST(Inspect, JsonLinesWithKeysThatComeLaterAndListsAndNull) {
  const Inspection i = inspected("{\"text\": \"a b\", \"n\": 1}\n\n{\"n\": null, \"tags\": [1, 2], \"text\": \"c\"}\n",
                                 FileFormat::json_lines);
  ASSERT_EQ(i.columns.size(), 3U);
  EXPECT_EQ(i.rows, 2);
  EXPECT_EQ(i.columns[0].name, "n");
  EXPECT_EQ(i.columns[0].missing, 1);
  EXPECT_EQ(i.columns[2].name, "tags");
  EXPECT_EQ(i.columns[2].missing, 1);
  EXPECT_EQ(i.examples[1][2], "[1,2]");
}

TEST(Inspect, TheSameWithOneAndThreeThreads) {
  std::string text = "x,word,label\n";
  for (int row = 0; row < 9000; ++row) {
    text +=
        std::to_string(row * 7919 % 4001) + ".5,w" + std::to_string(row % 1500) + "," + std::to_string(row % 3) + "\n";
  }
  const int threads = thread_count();
  set_thread_count(1);
  const Json one = to_json(inspected(text));
  set_thread_count(3);
  const Json three = to_json(inspected(text));
  set_thread_count(threads);
  EXPECT_EQ(one, three);
  EXPECT_FALSE(one["columns"][1]["distinct_exact"].get<bool>());
  EXPECT_NEAR(one["columns"][1]["distinct"].get<double>(), 1500, 100);
  EXPECT_EQ(one["columns"][0]["distinct_exact"].get<bool>(), false);
}

TEST(Inspect, BadRowsEndItOrAreCounted) {
  const std::string text = "a,b\n1,2\n3\n4,5\n";
  EXPECT_NE(error_of([&] { inspected(text); }).find("d:3"), std::string::npos);
  const Inspection i = inspected(text, FileFormat::csv, {}, OnBadRow::skip);
  EXPECT_EQ(i.rows, 2);
  EXPECT_EQ(i.bad_rows, 1);
  EXPECT_NE(to_text(i).find("expected 2 columns, found 1"), std::string::npos);
}

TEST(Inspect, EveryKindOfBadInputIsOneClearMessage) {
  const auto message = [](const std::string& text, FileFormat format = FileFormat::csv) {
    return error_of([&] { inspected(text, format); });
  };
  EXPECT_NE(message("").find("empty"), std::string::npos);
  EXPECT_NE(message("a,b\n").find("no row"), std::string::npos);
  EXPECT_NE(message("\n\n", FileFormat::json_lines).find("no row"), std::string::npos);
  EXPECT_NE(message("a\n\"open\n").find("never closed"), std::string::npos);
  EXPECT_NE(message("a,a\n1,2\n").find("twice"), std::string::npos);
  EXPECT_NE(message("a\n\xFF\n").find("UTF-8"), std::string::npos);
  EXPECT_NE(message("a\n" + std::string(17 << 20, 'x') + "\n").find("too large"), std::string::npos);
  EXPECT_NE(message("{\"a\": 1\n", FileFormat::json_lines).find("not valid JSON"), std::string::npos);
  EXPECT_NE(message("[1]\n", FileFormat::json_lines).find("expected one JSON object"), std::string::npos);
  InspectOptions options;
  options.label_column = "lable";
  EXPECT_NE(error_of([&] { inspected("label,x\na,1\n", FileFormat::csv, options); }).find("did you mean \"label\""),
            std::string::npos);
}

TEST(Inspect, ThePageEscapesWhatItShowsAndNeedsNothingElse) {
  const std::string html =
      to_html(inspected("text,label\n<script>alert(1)</script> & more,\"<b>\"\n<i>x</i>,\"<b>\"\n,\"<b>\"\n"));
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(1)&lt;/script&gt; &amp; more"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos) << "no address of another file";
  EXPECT_EQ(html.find("src="), std::string::npos);
  EXPECT_NE(html.find("prefers-color-scheme: dark"), std::string::npos);
  EXPECT_NE(html.find("<svg"), std::string::npos);
}

}  // namespace
}  // namespace suanli

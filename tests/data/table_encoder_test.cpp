// Encoding learns from the training part alone, survives its file bit for bit, and treats the unknown as it says.
#include "data/table_encoder.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/data_files.h"
#include "expect_error.h"

namespace suanli {
namespace {

std::unique_ptr<RowReader> rows_of(const std::string& csv, const std::string& name = "train.csv") {
  RowOptions options;
  options.format = FileFormat::csv;
  return open_rows(ByteSource::from_text(csv, name), options);
}

struct Encoded {
  std::vector<float> numbers;
  std::vector<int32_t> indices;
};

std::vector<Encoded> encoded(const TableEncoder& encoder, const std::string& csv) {
  const auto reader = rows_of(csv, "test.csv");
  const std::vector<size_t> columns = encoder.find_columns(*reader);
  std::vector<Encoded> out;
  Row row;
  while (reader->next(&row)) {
    Encoded& e = out.emplace_back();
    e.numbers.resize(encoder.number_names().size());
    e.indices.resize(encoder.cardinalities().size());
    encoder.encode(row, columns, reader->source().place(row.line), e.numbers, e.indices);
  }
  return out;
}

const char* const kTrain =
    "x,colour,day\n1,red,2024-01-01\n2,blue,2024-01-03\n3,red,\n10,green,2024-01-05\nNA,,2024-01-02\n";

TEST(TableEncoder, EachScaleByItsFormula) {
  // x: mean 4, deviation sqrt((9 + 4 + 1 + 36) / 4) = sqrt(12.5), median 2.5, quartiles 1.75 and 4.75.
  struct Case {
    ColumnEncoding encoding;
    double at_four, missing;
  };
  const double mean_log = (std::log(2.) + std::log(3.) + std::log(4.) + std::log(11.)) / 4;
  double square = 0;
  for (const double value : {2., 3., 4., 11.}) square += std::pow(std::log(value) - mean_log, 2) / 4;
  for (const Case& c : {Case{ColumnEncoding::standardize, 0, -1.5 / std::sqrt(12.5)},
                        Case{ColumnEncoding::min_max, 3 / 9., 1.5 / 9}, Case{ColumnEncoding::robust, 1.5 / 3, 0},
                        Case{ColumnEncoding::log, (std::log(5.) - mean_log) / std::sqrt(square),
                             ((std::log(3.) + std::log(4.)) / 2 - mean_log) / std::sqrt(square)}}) {
    const TableEncoder encoder = TableEncoder::fit(*rows_of(kTrain), {{"x", c.encoding}});
    const auto rows = encoded(encoder, "x\n4\nnull\n");
    EXPECT_NEAR(rows[0].numbers[0], c.at_four, 1e-6) << static_cast<int>(c.encoding);
    EXPECT_NEAR(rows[1].numbers[0], c.missing, 1e-6) << static_cast<int>(c.encoding);
  }
}

TEST(TableEncoder, CategoriesKnownUnknownMissing) {
  const TableEncoder one_hot = TableEncoder::fit(*rows_of(kTrain), {{"colour", ColumnEncoding::one_hot}});
  EXPECT_EQ(one_hot.number_names(), (std::vector<std::string>{"colour=blue", "colour=green", "colour=red"}));
  const auto rows = encoded(one_hot, "colour\nred\nviolet\n\"\"\n");
  EXPECT_EQ(rows[0].numbers, (std::vector<float>{0, 0, 1}));
  EXPECT_EQ(rows[1].numbers, (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(rows[2].numbers, (std::vector<float>{0, 0, 0}));
  const TableEncoder ordinal = TableEncoder::fit(*rows_of(kTrain), {{"colour", ColumnEncoding::ordinal}});
  EXPECT_EQ(ordinal.cardinalities(), (std::vector<int64_t>{4}));
  EXPECT_EQ(encoded(ordinal, "colour\nred\n")[0].indices[0], 3);
  EXPECT_EQ(encoded(ordinal, "colour\nviolet\n")[0].indices[0], 0);
  const TableEncoder hashed = TableEncoder::fit(*rows_of(kTrain), {{"colour", ColumnEncoding::hashed, 8}});
  EXPECT_EQ(hashed.cardinalities(), (std::vector<int64_t>{8}));
  EXPECT_EQ(encoded(hashed, "colour\nnever seen\n")[0].indices, encoded(hashed, "colour\nnever seen\n")[0].indices);
}

TEST(TableEncoder, DatesAsTimeAndCycles) {
  const TableEncoder encoder = TableEncoder::fit(*rows_of(kTrain), {{"day", ColumnEncoding::date}});
  ASSERT_EQ(encoder.number_names().size(), 7U);
  EXPECT_EQ(encoder.number_names()[1], "day.year_sin");
  // 2024-07-01T12:00Z: a Monday; 182.5 of 366 days of the year have passed.
  const auto row = encoded(encoder, "day\n2024-07-01T12:00Z\n")[0].numbers;
  const double year = 2 * M_PI * 182.5 / 366, week = 2 * M_PI * 0.5 / 7;
  EXPECT_NEAR(row[1], std::sin(year), 1e-6);
  EXPECT_NEAR(row[2], std::cos(year), 1e-6);
  EXPECT_NEAR(row[3], std::sin(week), 1e-6);
  EXPECT_NEAR(row[4], std::cos(week), 1e-6);
  EXPECT_NEAR(row[5], 0, 1e-6);
  EXPECT_NEAR(row[6], -1, 1e-6);
}

TEST(TableEncoder, TheFileGivesTheSameEncoderBitForBit) {
  const DataFolder folder;
  const TableEncoder fitted = TableEncoder::fit(
      *rows_of(kTrain),
      {{"x", ColumnEncoding::log}, {"colour", ColumnEncoding::ordinal}, {"day", ColumnEncoding::date}});
  fitted.save(folder / "");
  const TableEncoder loaded = TableEncoder::load(folder / "");
  EXPECT_EQ(loaded.to_json(), fitted.to_json());
  const std::string other = "day,extra,colour,x\n2025-05-05 10:11,0,red,0.1\n,0,,\n";
  const auto a = encoded(fitted, other), b = encoded(loaded, other);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].numbers, b[i].numbers);
    EXPECT_EQ(a[i].indices, b[i].indices);
  }
}

TEST(TableEncoder, WhatCannotBeEncodedIsSaidWithItsPlace) {
  const TableEncoder encoder = TableEncoder::fit(*rows_of(kTrain), {{"x", ColumnEncoding::standardize}});
  EXPECT_NE(error_of([&] { encoded(encoder, "y,xx\n1,2\n"); }).find("no column \"x\""), std::string::npos);
  EXPECT_NE(error_of([&] { encoded(encoder, "x\n1\nmany\n"); }).find("test.csv:3] column x"), std::string::npos);
  EXPECT_NE(error_of([&] { encoded(encoder, "x\ninf\n"); }).find("finite"), std::string::npos);
  const auto fit = [](std::vector<ColumnPlan> plan) { TableEncoder::fit(*rows_of("a,b,c\n1,,x\n2,,y\n"), plan); };
  EXPECT_NE(error_of([&] { fit({{"b", ColumnEncoding::robust}}); }).find("no value"), std::string::npos);
  EXPECT_NE(error_of([&] { fit({{"c", ColumnEncoding::robust}}); }).find("train.csv:2]"), std::string::npos);
  EXPECT_NE(error_of([&] { fit({{"c", ColumnEncoding::hashed, 0}}); }).find("bucket"), std::string::npos);
  EXPECT_NE(error_of([&] { fit({{"a"}, {"a"}}); }).find("twice"), std::string::npos);
  for (const char* text : {"[]", "{\"columns\": [{\"name\": \"x\", \"encoding\": \"magic\"}]}",
                           "{\"columns\": [{\"name\": \"x\", \"encoding\": \"robust\", \"fill\": 0.0, \"center\": 0.0, "
                           "\"scale\": 0.0}]}"}) {
    EXPECT_THROW(TableEncoder::from_json(Json::parse(text), "p"), UserError) << text;
  }
}

TEST(TableEncoder, AConstantColumnIsZeroAndThePlanFollowsTheTypes) {
  const TableEncoder encoder = TableEncoder::fit(*rows_of("x\n5\n5\n"), {{"x", ColumnEncoding::standardize}});
  EXPECT_EQ(encoded(encoder, "x\n5\n")[0].numbers[0], 0);
  InspectOptions options;
  options.label_column = "y";
  const Inspection i =
      inspect(*rows_of("n,c,d,t,y\n1,a,2024-01-01,one text,0\n2,a,2024-01-02,another text,1\n"), options);
  const auto plan = suggested_plan(i, "y");
  ASSERT_EQ(plan.size(), 3U);
  EXPECT_EQ(plan[1].name, "c");
  EXPECT_EQ(plan[1].encoding, ColumnEncoding::one_hot);
  EXPECT_EQ(plan[2].encoding, ColumnEncoding::date);
}

}  // namespace
}  // namespace suanli

// Whatever a table holds comes back as it was written, in any of the ways that programs write tables.
#include "data/csv.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "expect_error.h"

namespace suanli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

struct Table {
  std::vector<std::string> columns;
  Rows rows;
  std::vector<int64_t> lines;
};

Table read(const std::string& text, TableFormat format = TableFormat::csv) {
  CsvReader reader(ByteSource::from_text(text, "t.csv"), format);
  Table table{reader.columns(), {}, {}};
  std::vector<std::string> fields;
  int64_t line = 0;
  while (reader.next(&fields, &line)) {
    table.rows.push_back(fields);
    table.lines.push_back(line);
  }
  return table;
}

std::string in_quotes(const std::string& field) {
  std::string text = "\"";
  for (const char c : field) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

TEST(Csv, RandomTablesSurviveTheRoundTrip) {
  const std::string pieces[] = {"a", "b c", ",", "\"", "\n", "\r\n", "\t", "北京",
                                "😀", "é",   " ", "'",  ";",  "\"\"", "\r"};
  RandomGenerator random({3, 0, 0});
  for (int round = 0; round < 500; ++round) {
    const size_t width = 1 + random.below(5), height = random.below(20);
    const std::string end = random.below(2) == 0 ? "\n" : "\r\n";
    std::string text = random.below(2) == 0 ? "\xEF\xBB\xBF" : "";
    for (size_t j = 0; j < width; ++j) text += (j > 0 ? ",c" : "c") + std::to_string(j);
    Rows rows(height, std::vector<std::string>(width));
    for (auto& row : rows) {
      text += end;
      for (size_t j = 0; j < width; ++j) {
        for (uint64_t n = random.below(6); n > 0; --n) row[j] += pieces[random.below(std::size(pieces))];
        const bool plain = row[j].find_first_of(",\"\r\n") == std::string::npos;
        if (j > 0) text += ',';
        // A row that is one empty field looks like an empty line unless it is quoted.
        text += plain && !row[j].empty() && random.below(2) == 0 ? row[j] : in_quotes(row[j]);
      }
    }
    if (random.below(2) == 0) text += end;
    const Table table = read(text);
    ASSERT_EQ(table.rows, rows) << text;
    ASSERT_EQ(table.columns.size(), width);
    ASSERT_EQ(table.columns[0], "c0") << "the byte order mark is no part of a name";
  }
}

TEST(Csv, RowsKnowTheLineTheyBeginOn) {
  const Table table = read("text,label\n\"two\nlines\",1\n\n\nnext,2\r\n\"a\r\nb\r\nc\",3\nlast,4");
  EXPECT_EQ(table.lines, (std::vector<int64_t>{2, 6, 7, 10}));
  EXPECT_EQ(table.rows[0][0], "two\nlines");
  EXPECT_EQ(table.rows.back(), (std::vector<std::string>{"last", "4"})) << "no line end after the last row";
}

TEST(Csv, QuotesInsideAnUnquotedFieldStandForThemselves) {
  EXPECT_EQ(read("t,l\n5\" disk,1\na\"b\"c,2\n").rows, (Rows{{"5\" disk", "1"}, {"a\"b\"c", "2"}}));
}

TEST(Csv, EmptyFieldsAreFields) { EXPECT_EQ(read("a,b,c\n,,\n\"\",x,\n").rows, (Rows{{"", "", ""}, {"", "x", ""}})); }

TEST(Csv, CarriageReturnsAloneEndRows) { EXPECT_EQ(read("a,b\r1,2\r3,4\r").rows, (Rows{{"1", "2"}, {"3", "4"}})); }

TEST(Csv, TabsHaveNoQuoting) {
  EXPECT_EQ(read("text\tlabel\n\"open, and a quote\t1\n\"x\"\t2\n", TableFormat::tsv).rows,
            (Rows{{"\"open, and a quote", "1"}, {"\"x\"", "2"}}));
}

TEST(Csv, FieldsCrossTheBlocksTheyAreReadIn) {
  // Fields around the block of 64 KiB, with the special bytes on each side of the border.
  for (size_t size = (64 << 10) - 6; size < (64 << 10) + 6; ++size) {
    const std::string field(size, 'x');
    EXPECT_EQ(read("a,b\n\"" + field + "\"\"\",1\r\n" + field + ",2\n").rows,
              (Rows{{field + "\"", "1"}, {field, "2"}}));
  }
}

TEST(Csv, AFieldOfTheLimitIsReadOneByteMoreIsNot) {
  const std::string most(kFieldLimit, 'x');
  EXPECT_EQ(read("a,b\n" + most + ",1\n").rows[0][0].size(), kFieldLimit);
  EXPECT_EQ(read("a,b\n\"" + most + "\",1\n").rows[0][0].size(), kFieldLimit);
  EXPECT_NE(error_of([&] { read("a,b\n" + most + "x,1\n"); }).find("[t.csv:2] the row is too large"),
            std::string::npos);
  EXPECT_NE(error_of([&] { read("a,b\n\"" + most + "x\",1\n"); }).find("[t.csv:2] the quote opened here"),
            std::string::npos);
}

TEST(Csv, ReadingGoesOnBehindABadRow) {
  CsvReader reader(ByteSource::from_text("a,b\n1,2,3\n\"x\"y,1\n4,5\n", "t.csv"), TableFormat::csv);
  std::vector<std::string> fields;
  int64_t line = 0;
  EXPECT_NE(error_of([&] { reader.next(&fields, &line); }).find("[t.csv:2]"), std::string::npos);
  EXPECT_NE(error_of([&] { reader.next(&fields, &line); }).find("[t.csv:3]"), std::string::npos);
  ASSERT_TRUE(reader.next(&fields, &line));
  EXPECT_EQ(fields, (std::vector<std::string>{"4", "5"}));
  EXPECT_FALSE(reader.next(&fields, &line));
}

}  // namespace
}  // namespace suanli

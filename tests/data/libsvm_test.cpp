// A sparse row is the same table row as in CSV: what is not written is zero, not missing.
#include "data/libsvm.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/data_files.h"
#include "data/row_writer.h"
#include "expect_error.h"

namespace suanli {
namespace {

using Cells = std::vector<std::string>;

std::vector<Cells> cells_of(RowReader& reader) {
  std::vector<Cells> all;
  Row row;
  while (reader.next(&row)) all.push_back(row.cells);
  return all;
}

TEST(Libsvm, WhatIsNotWrittenIsZeroAndTheLargestIndexMakesTheColumns) {
  const DataFolder folder;
  const auto file = folder.write("d.libsvm", "# made by hand\n+1 1:0.5 3:-2e-1 # one\n\n-1 2:7\r\n0\n");
  const auto reader = open_rows(file, {});
  EXPECT_EQ(reader->columns(), (Cells{"label", "1", "2", "3"}));
  EXPECT_EQ(cells_of(*reader),
            (std::vector<Cells>{{"1", "0.5", "0", "-2e-1"}, {"-1", "0", "7", "0"}, {"0", "0", "0", "0"}}));
}

TEST(Libsvm, AFileHasAtLeastTheColumnsAskedFor) {
  const DataFolder folder;
  RowOptions options;
  options.features = libsvm_features(Cells{"label", "2", "4", "x9"});
  EXPECT_EQ(options.features, 4);
  EXPECT_EQ(open_rows(folder.write("d.libsvm", "1 2:7\n"), options)->columns().size(), 5U);
  EXPECT_EQ(open_rows(folder.write("d.libsvm", "1 6:7\n"), options)->columns().size(), 7U);
}

TEST(Libsvm, RowsAreWrittenInTheirFormat) {
  const DataFolder folder;
  const std::string lines = "1 1:0.5 3:2\n0\n";
  const auto reader = open_rows(folder.write("d.libsvm", lines), {});
  RowWriter writer(folder / "out.libsvm", *reader);
  Row row;
  while (reader->next(&row)) writer.write(row);
  writer.finish();
  EXPECT_EQ(folder.read("out.libsvm"), lines);
}

TEST(Libsvm, EveryMistakeNamesItsLine) {
  const DataFolder folder;
  const auto message = [&](const std::string& text) {
    return error_of([&] {
      const auto reader = open_rows(folder.write("d.libsvm", text), {});
      cells_of(*reader);
    });
  };
  EXPECT_NE(message("1 1:2\n1 x:2\n").find("d.libsvm:2] expected index:value with an index from 1, found \"x:2\""),
            std::string::npos);
  EXPECT_NE(message("1 0:2\n").find("\"0:2\""), std::string::npos);
  EXPECT_NE(message("1 3\n").find("\"3\""), std::string::npos);
  EXPECT_NE(message("1 3:\n").find("\"3:\""), std::string::npos);
  EXPECT_NE(message("1 qid:3 1:1\n").find("qid"), std::string::npos);
  EXPECT_NE(message("1 2:1 2:1\n").find("index 2 comes after 2"), std::string::npos);
  EXPECT_NE(message("1 70000:1\n").find("index 70000 is above 16384"), std::string::npos);
  EXPECT_NE(message("").find("empty"), std::string::npos);
  RowOptions narrow;
  narrow.format = FileFormat::libsvm;
  narrow.features = 2;
  EXPECT_NE(error_of([&] { cells_of(*open_rows(ByteSource::from_text("1 3:1\n", "x"), narrow)); }).find("above the 2"),
            std::string::npos);
}

}  // namespace
}  // namespace suanli

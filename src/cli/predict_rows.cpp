#include "cli/predict_rows.h"

#include "cli/output.h"
#include "data/libsvm.h"
#include "data/rows.h"
#include "infer/row_model.h"

namespace suanli::cli {
namespace {

constexpr size_t kRows = 4096;  // answered together

/// Standard input is JSON lines where its first byte is '{', else CSV.
std::unique_ptr<RowReader> open_input(const std::string& file, const TableEncoder& encoder) {
  RowOptions options;
  options.features = libsvm_features(encoder.column_names());
  if (file != "-") return open_rows(file, options);
  ByteSource source(file);
  options.format = source.peek() == '{' ? FileFormat::json_lines : FileFormat::csv;
  return open_rows(std::move(source), options);
}

}  // namespace

int predict_rows(const Config& config) {
  const infer::RowModel model(config.get_string("model"), config.get_string("device"), config.get_string("precision"));
  const auto reader = open_input(config.get_string("input"), model.encoder());
  const std::vector<size_t> columns = model.encoder().find_columns(*reader);
  Output output(config.get_string("output"));
  std::vector<Row> rows;
  while (reader->next_rows(kRows, &rows)) {
    std::vector<infer::Prepared> prepared;
    for (const Row& row : rows) prepared.push_back(model.prepare(row, columns, reader->source().place(row.line)));
    std::string text;
    for (const infer::Prediction& answer : model.predict(prepared)) text += answer.json + "\n";
    output.write(text);
  }
  output.close();
  return 0;
}

}  // namespace suanli::cli

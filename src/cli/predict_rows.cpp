#include "cli/predict_rows.h"

#include "base/error.h"
#include "base/json_text.h"
#include "cli/output.h"
#include "data/libsvm.h"
#include "data/rows.h"
#include "data/table_encoder.h"
#include "nn/precision.h"
#include "ops/initialize.h"
#include "train/tabular.h"

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

void append_answer(std::string& out, const Tabular& task, std::span<const float> values) {
  if (task.config().regression()) {
    out += "{\"value\": ";
    append_number(out, task.unscaled(values[0]));
  } else {
    const Tabular::Decision decision = task.decide(values);
    out += "{\"label\": ";
    append_string(out, task.config().labels[static_cast<size_t>(decision.label)]);
    out += ", \"score\": ";
    append_number(out, decision.probability);
  }
  out += "}\n";
}

}  // namespace

int predict_rows(const Config& config) {
  initialize();
  const std::string folder = config.get_string("model");
  const Device device = device_named(config.get_string("device"));
  const auto [dtype, int8] = nn::inference_precision_named(config.get_string("precision"), device);
  if (int8) throw UserError("precision", "expected auto, f32, bf16 or f16 for a model of tables, got int8");
  const TableEncoder encoder = TableEncoder::load(folder);
  const models::Model model = models::load_model(folder, {.matrix_dtype = dtype, .device = device});
  const Tabular task(model, {});

  const auto reader = open_input(config.get_string("input"), encoder);
  const std::vector<size_t> columns = encoder.find_columns(*reader);
  Output output(config.get_string("output"));
  std::vector<Row> rows;
  while (reader->next_rows(kRows, &rows)) {
    std::vector<EncodedExample> examples(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      examples[i].features.resize(encoder.number_names().size());
      examples[i].categories.resize(encoder.cardinalities().size());
      encoder.encode(rows[i], columns, reader->source().place(rows[i].line), examples[i].features,
                     examples[i].categories);
    }
    const std::vector<float> values = task.outputs(pack(examples), {.training = false, .dtype = dtype});
    const auto width = static_cast<size_t>(task.config().outputs());
    std::string text;
    for (size_t i = 0; i < rows.size(); ++i) append_answer(text, task, std::span(values).subspan(i * width, width));
    output.write(text);
  }
  output.close();
  return 0;
}

}  // namespace suanli::cli

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "train/baseline_profile.h"
#include "train/prepare.h"
#include "train/table_data.h"
#include "train/tabular.h"

namespace suanli {
namespace {

/// The column of labels, looked up in the first file that the run reads.
std::string label_column(const TrainArguments& a) {
  for (const std::string& file : {a.train_file, a.validation_file, a.test_file}) {
    if (file.empty()) continue;
    RowOptions options;
    options.column_names = a.reader.column_names;
    options.on_bad_row = a.reader.on_bad_row;
    return label_column_of(*open_rows(file, options), a.reader.label_column);
  }
  throw UserError("train_file", "expected a file, got none");
}

/// config.json of a new network for what the encoder gives.
Json new_config(const TrainArguments& a, const TableEncoder& encoder) {
  Json json = models::tabular_json();
  json["num_features"] = encoder.number_names().size();
  json["category_sizes"] = encoder.cardinalities();
  json["hidden_sizes"] = a.hidden_sizes;
  json["hidden_act"] = a.hidden_act;
  json["hidden_dropout_prob"] = a.hidden_dropout_prob;
  return json;
}

/// Puts the threshold of the task into the config.json of a folder.
void write_threshold(const std::filesystem::path& folder, double threshold) {
  const std::filesystem::path file = folder / "config.json";
  Json json = read_json(file);
  json["threshold"] = threshold;
  write_file_atomically(file, json_text(json));
}

}  // namespace

void prepare_table(const Json& model_json, Run& run) {
  const TrainArguments& a = run.arguments;
  const bool regression = run.kind.labels == LabelKind::score, is_new = model_json.empty();
  if (is_new && !a.do_train) {
    throw UserError("model_name_or_path",
                    "expected the folder of a trained model (or a train_file to train one), got none");
  }
  if (a.precision == Precision::automatic) run.precision = {DType::f32};  // what auto measures are large products
  const std::string label = label_column(a);
  const TableParts parts = table_parts(a, label, regression);
  const TableEncoder encoder =
      is_new ? TableEncoder::fit(*open_part(parts.train), column_plan(parts.train, label, a.column_encodings))
             : TableEncoder::load(a.model_name_or_path);
  Json json = model_json;
  LabelTable labels;
  if (is_new) json = new_config(a, encoder);
  if (is_new && regression) {
    const TargetScale scale = target_scale_of(parts.train, label);
    json["target_mean"] = scale.mean;
    json["target_scale"] = scale.deviation;
  }
  if (!regression) {
    labels = is_new ? classes_of(parts.train, label)
                    : LabelTable::from_names(models::config_labels(model_json, "config.json"));
  }
  run.model = make_model(run, json, regression ? std::vector<std::string>{"LABEL_0"} : labels.names());

  const models::TabularConfig config = models::tabular_config(run.model.config().json, "config.json");
  const auto encoded = [&](const TablePart& part, int64_t limit) {
    return part.empty() ? Dataset() : encode_part(part, encoder, label, labels, config, limit);
  };
  if (a.do_train) {
    RowSample sample;
    std::vector<std::string> columns;
    run.train = encode_part(parts.train, encoder, label, labels, config, a.max_train_samples,
                            [&](const RowReader& reader, const Row& row) {
                              sample.add(row);
                              if (columns.size() != reader.columns().size()) columns = reader.columns();
                            });
    run.baseline = table_profile(sample.rows(), columns, encoder, label, regression);
  }
  run.validation = encoded(parts.validation, a.max_eval_samples);
  run.test = encoded(parts.test, a.max_predict_samples);

  TabularOptions options = {.gamma = a.focal_loss_gamma, .label_smoothing = a.label_smoothing_factor};
  if (a.class_weight == "balanced" && a.do_train && !regression) {
    options.class_weights = balanced_weights(run.train, labels.size());
  }
  auto owned = std::make_unique<Tabular>(run.model, std::move(options));
  Tabular* task = owned.get();
  run.task = std::move(owned);
  if (a.threshold != "none" && a.do_train) {
    if (regression || labels.size() != 2) throw UserError("threshold", "expected none but for two classes");
    if (run.validation.rows.empty()) {
      throw UserError("threshold", "is chosen on a validation set: expected a validation_file or a validation_split");
    }
    run.after_training = [task, &run, rule = threshold_rule_named(a.threshold)] {
      task->set_threshold(best_threshold(*task, run.validation, rule, run.precision.dtype));
      log_info(concat("threshold of \"", task->config().labels[1], "\": ", task->threshold()));
    };
  }
  run.write_others = [encoder, task](const std::filesystem::path& folder) {
    encoder.save(folder);
    if (!task->config().regression()) write_threshold(folder, task->threshold());
  };
}

}  // namespace suanli

#include "base/concat.h"
#include "base/error.h"
#include "base/log.h"
#include "train/item_texts.h"
#include "train/prepare.h"
#include "train/recommendation.h"

namespace suanli {
namespace {

constexpr const char* kItemsFile = "items.csv";  ///< of a model's folder: its items in the order of their vectors
constexpr const char* kEncoderFolder = "encoder";

RowOptions table_options_of(const TrainArguments& a) {
  RowOptions options;
  options.column_names = a.reader.column_names;
  options.on_bad_row = a.reader.on_bad_row;
  return options;
}

Json new_two_towers(const TrainArguments& a, int64_t items, int64_t text_width) {
  if (a.hidden_sizes.size() != 1) {
    throw UserError("hidden_sizes", concat("expected one width of both towers, got ", a.hidden_sizes.size()));
  }
  Json json = models::two_tower_json();
  json["num_items"] = items;
  json["text_width"] = text_width;
  json["hidden_size"] = a.hidden_sizes.front();
  json["history_length"] = a.history_length;
  json["temperature"] = a.temperature;
  json["dropout"] = a.hidden_dropout_prob;
  json["item_dropout"] = a.item_dropout;
  json["least_rating"] = a.least_rating;
  return json;
}

/// The model of the run: a new one reads the texts of its items first.
models::Model two_towers(const Run& run, const Json& model_json, const ItemTable& items) {
  const TrainArguments& a = run.arguments;
  if (!model_json.empty()) return make_model(run, model_json, {});
  if (a.backbone_name_or_path.empty()) {
    throw UserError("backbone_name_or_path",
                    "expected the folder of the encoder that reads the texts of items, got none");
  }
  const Tensor text = item_text_vectors(items, a.backbone_name_or_path, run.device);
  models::Model model = make_model(run, new_two_towers(a, items.size(), text.dim(1)), {});
  models::item_text(*model.parameters).copy_from(text.to(run.device));
  return model;
}

}  // namespace

void prepare_interactions(const Json& model_json, Run& run) {
  const TrainArguments& a = run.arguments;
  const bool is_new = model_json.empty();
  if (is_new && !a.do_train) {
    throw UserError("model_name_or_path",
                    "expected the folder of a trained model (or a train_file to train one), got none");
  }
  if (is_new && a.items_file.empty()) throw UserError("items_file", "expected the table of the items, got none");
  if (a.precision == Precision::automatic) run.precision = {DType::f32};  // what auto measures are large products
  const std::filesystem::path folder = a.model_name_or_path;
  const ItemTable items = is_new ? read_items(a.items_file, table_options_of(a)) : read_items(folder / kItemsFile);
  run.model = two_towers(run, model_json, items);
  const models::TwoTowerConfig config = models::two_tower_config(run.model.config().json, "config.json");
  if (config.items != items.size()) {
    throw UserError((folder / kItemsFile).string(),
                    concat("expected ", config.items, " items as in config.json, found ", items.size()));
  }

  const std::string& file = a.train_file.empty() ? a.validation_file : a.train_file;
  const Interactions interactions = read_interactions(file, items, config.least_rating, table_options_of(a));
  if (interactions.unknown > 0) {
    log_warning(concat(file, ": ", interactions.unknown, " interactions with items that are not in the table"));
  }
  auto task = std::make_unique<Recommendation>(
      run.model, leave_last_out(interactions, items.size(), a.cold_item_share, a.data_seed), a.seed);
  const LeftOut& data = task->data();
  const int64_t length = config.history_length;
  const size_t tests = data.validation.size(), cold = tests + data.test.size();
  const auto test_rows = [&](int64_t limit) {
    Dataset rows = question_rows(data.test, length, limit, false, tests);
    const Dataset more = question_rows(data.cold, length, limit, true, cold);
    rows.rows.insert(rows.rows.end(), more.rows.begin(), more.rows.end());
    return rows;
  };
  if (a.do_train) run.train = training_rows(data, length, a.max_train_samples);
  if (a.train_file.empty()) {
    run.validation = test_rows(a.max_eval_samples);  // `suanli eval`: what training has left for the end
  } else if (a.do_eval || a.eval_strategy != Interval::no) {
    run.validation = question_rows(data.validation, length, a.max_eval_samples, false, 0);
  }
  if (a.do_predict) run.test = test_rows(a.max_predict_samples);
  run.write_others = [items](const std::filesystem::path& to) { write_items(items, to / kItemsFile); };
  const std::filesystem::path encoder =
      a.backbone_name_or_path.empty() ? folder / kEncoderFolder : std::filesystem::path(a.backbone_name_or_path);
  run.after_training = [known = task.get(), encoder, to = a.output_dir / kEncoderFolder] {
    known->settle_unknown_items();
    if (std::filesystem::is_directory(encoder)) copy_encoder(encoder, to);
  };
  run.task = std::move(task);
}

}  // namespace suanli

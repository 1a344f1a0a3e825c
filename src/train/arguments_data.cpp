#include <charconv>

#include "train/option_reader.h"

namespace suanli {
namespace {

ReaderOptions reader_options(const Config& config, const OptionReader& read) {
  ReaderOptions options;
  options.text_columns = config.get_list("text_column_names");
  options.text_column_delimiter = read.text("text_column_delimiter");
  options.text_pair_column = read.text("text_pair_column_name");
  options.text_pair_extension = read.text("text_pair_extension");
  options.label_column = read.text("label_column_name");
  options.label_separator = read.text("label_separator");
  options.column_names = config.get_list("column_names");
  options.on_bad_row = read.text("on_bad_row") == "skip" ? OnBadRow::skip : OnBadRow::error;
  return options;
}

void read_table_arguments(const Config& config, const OptionReader& read, TrainArguments* a) {
  a->column_encodings = config.get_list("column_encodings");
  for (const std::string& size : config.get_list("hidden_sizes")) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), value);
    const bool whole = error == std::errc() && end == size.data() + size.size();
    read.require(whole && value >= 0, "hidden_sizes", "whole numbers such as 64,32, or 0 for no hidden layer", size);
    if (value > 0) a->hidden_sizes.push_back(value);
  }
  a->hidden_act = read.text("hidden_act");
  a->hidden_dropout_prob = read.real("hidden_dropout_prob", 0, 0.999);
  a->class_weight = read.text("class_weight");
  a->focal_loss_gamma = read.real("focal_loss_gamma", 0, 100);
  a->threshold = read.text("threshold");
  a->context_length = read.integer("context_length", 1, 48);
  a->prediction_length = read.integer("prediction_length", 1, 12);
  a->seasonality = read.integer("seasonality", 1, 1);
  a->forecaster = read.text("forecaster");
  a->items_file = read.text("items_file");
  a->history_length = read.integer("history_length", 1, 50);
  a->temperature = read.real("temperature", 1e-3, 100);
  a->item_dropout = read.real("item_dropout", 0, 0.999);
  a->least_rating = read.real("least_rating", -HUGE_VAL, HUGE_VAL);
  a->cold_item_share = read.real("cold_item_share", 0, 0.9);
}

void read_image_arguments(const Config& config, const OptionReader& read, TrainArguments* a) {
  a->image_size = read.integer("image_size", 1, 0);
  a->feature_model = read.text("feature_model");
  a->instance_masks = read.boolean("instance_masks", false);
  AugmentOptions& o = a->augment;
  o.hsv_h = config.get_float("hsv_h");
  o.hsv_s = config.get_float("hsv_s");
  o.hsv_v = config.get_float("hsv_v");
  o.degrees = config.get_float("degrees");
  o.translate = config.get_float("translate");
  o.scale = config.get_float("scale");
  o.shear = config.get_float("shear");
  o.mosaic = config.get_float("mosaic");
  o.flipud = config.get_float("flipud");
  o.fliplr = config.get_float("fliplr");
  o.erasing = config.get_float("erasing");
  o.mixup = config.get_float("mixup");
  o.mixup_alpha = config.get_float("mixup_alpha");
  o.cutmix = config.get_float("cutmix");
  o.cutmix_alpha = config.get_float("cutmix_alpha");
  o.brightness = config.get_float("brightness");
  o.contrast = config.get_float("contrast");
  o.saturation = config.get_float("saturation");
  o.crop_padding = read.integer("crop_padding", 0, 0);
  check(o);
}

}  // namespace

void read_data_arguments(const Config& config, const OptionReader& read, TrainArguments* a) {
  a->task = read.text("task");
  a->model_name_or_path = read.text("model_name_or_path");
  if (const std::string before = read.text("continue_from"); !before.empty()) {
    read.require(a->model_name_or_path.empty() || a->model_name_or_path == before, "continue_from",
                 "the model alone, without another model_name_or_path", before);
    a->model_name_or_path = before;
    a->continues = true;
  }
  a->replay = read.text("replay");
  a->replay_ratio = read.real("replay_ratio", 0, 0.99);
  a->ewc_lambda = read.real("ewc_lambda", 0, HUGE_VAL);
  read.require(a->ewc_lambda == 0 || !a->replay.empty(), "ewc_lambda", "0 without a replay file",
               concat(a->ewc_lambda));
  a->old_validation_file = read.text("old_validation_file");
  a->config_name = read.text("config_name");
  a->backbone_name_or_path = read.text("backbone_name_or_path");
  read.require(a->backbone_name_or_path.empty() || a->model_name_or_path.empty(), "backbone_name_or_path",
               "none beside model_name_or_path, which has its own backbone", a->backbone_name_or_path);
  a->tokenizer_name = read.text("tokenizer_name");
  a->train_file = read.text("train_file");
  a->validation_file = read.text("validation_file");
  a->test_file = read.text("test_file");
  a->reader = reader_options(config, read);
  a->validation_split = read.real("validation_split", 0, 0.9);
  a->test_split = read.real("test_split", 0, 0.9);
  read.require(a->validation_split + a->test_split <= 0.9, "validation_split", "at most 0.9 together with test_split",
               concat(a->validation_split + a->test_split));
  read.require(a->validation_split == 0 || a->validation_file.empty(), "validation_split",
               "0 where validation_file is given", concat(a->validation_split));
  read.require(a->test_split == 0 || a->test_file.empty(), "test_split", "0 where test_file is given",
               concat(a->test_split));
  a->problem_type = read.text("problem_type");
  a->pooling = read.text("pooling");
  a->negative_column_name = read.text("negative_column_name");
  a->triplet_margin = read.real("triplet_margin", 0, 2);
  a->loss = read.text("loss");
  a->dataset_cache_dir = read.text("dataset_cache_dir");
  a->max_seq_length = read.integer("max_seq_length", 2, 0);
  a->doc_stride = read.integer("doc_stride", 0, 128);
  a->max_answer_length = read.integer("max_answer_length", 1, 30);
  a->n_best_size = read.integer("n_best_size", 1, 20);
  a->mlm_probability = read.real("mlm_probability", 1e-6, 1);
  a->block_size = read.integer("block_size", 8, 0);
  a->line_by_line = read.boolean("line_by_line", false);
  a->max_train_samples = read.integer("max_train_samples", 1, -1);
  a->max_eval_samples = read.integer("max_eval_samples", 1, -1);
  a->max_predict_samples = read.integer("max_predict_samples", 1, -1);
  a->output_dir = read.text("output_dir");
  a->do_train = read.boolean("do_train", !a->train_file.empty());
  a->do_eval = read.boolean("do_eval", !a->validation_file.empty() || a->validation_split > 0 || a->leaves_last_out());
  a->do_predict = read.boolean("do_predict", false);
  read.require(!a->do_train || !a->train_file.empty(), "do_train", "false without a train_file", "true");
  read.require(!a->do_eval || !a->validation_file.empty() || a->validation_split > 0 || a->leaves_last_out(), "do_eval",
               "false without a validation_file or a validation_split", "true");
  read.require(!a->do_predict || !a->test_file.empty() || a->test_split > 0 || a->leaves_last_out(), "do_predict",
               "false without a test_file or a test_split", "true");
  read_table_arguments(config, read, a);
  read_image_arguments(config, read, a);
}

}  // namespace suanli

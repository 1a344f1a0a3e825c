#include "base/error.h"
#include "base/json.h"
#include "cli/options.h"
#include "cli/predict_images.h"
#include "cli/predict_key_points.h"
#include "cli/predict_masks.h"
#include "cli/predict_rows.h"
#include "cli/predict_series.h"
#include "cli/predict_super_resolution.h"
#include "cli/text_engine.h"
#include "cli/verbs.h"
#include "infer/predictions.h"
#include "models/forecast/forecast.h"
#include "models/tabular/config.h"

namespace suanli::cli {

namespace {

const OptionTable& predict_options() {
  static const OptionTable table([] {
    auto all = text_engine_options("f32");
    all.push_back({.name = "top_k",
                   .type = OptionType::integer,
                   .default_value = "0",
                   .help = "answers for each line, best first; 0: one label, or five fills of a mask"});
    all.push_back({.name = "aggregation_strategy",
                   .type = OptionType::text,
                   .default_value = "none",
                   .help = "simple joins the tokens of one entity",
                   .choices = {"none", "simple"}});
    all.push_back(
        {.name = "output_dir", .type = OptionType::path, .help = "folder of the pictures or masks that a model makes"});
    return all;
  }());
  return table;
}

models::Head trained_head(const Json& json, const std::string& file) {
  const models::Head head = models::head_of(json, file);
  if (head == models::Head::image_generation) {
    throw UserError(file, "expected a model that answers, got one that makes pictures; use `suanli generate`");
  }
  if (head == models::Head::none) {
    throw UserError(file,
                    "expected a model with a head (\"architectures\" ending in ForSequenceClassification, "
                    "ForTokenClassification, ForImageClassification, ForSemanticSegmentation, ForObjectDetection or "
                    "ForMaskedLM), got a bare encoder; use `suanli embed`");
  }
  return head;
}

}  // namespace

int predict(Arguments arguments) {
  if (print_help(arguments, "suanli predict --model DIR [--input FILE] [--output FILE]", predict_options())) return 0;
  Config config(predict_options());
  read_options(config, arguments, "predict");
  const std::string folder = config.get_string("model"), file = folder + "/config.json";
  const Json json = models::model_json(folder);
  const bool series = models::is_forecaster(json, file), table = !series && models::is_tabular(json, file);
  const models::Head head = series || table ? models::Head::none : trained_head(json, file);
  const bool makes_pictures =
      head == models::Head::image_super_resolution || head == models::Head::semantic_segmentation;
  if (makes_pictures && !config.is_given("output_dir")) {
    throw UserError("output_dir", "expected a folder for the pictures or masks that the model makes, got none");
  }
  if (head == models::Head::image_super_resolution) return predict_super_resolution(config);
  if (head == models::Head::semantic_segmentation) return predict_masks(config);
  if (config.is_given("output_dir")) {
    throw UserError("output_dir", "expected a model that makes pictures or masks, got another one; use --output FILE");
  }
  if (series) return predict_series(config);
  if (table) return predict_rows(config);
  if (head == models::Head::keypoint_detection) return predict_key_points(config);
  const int64_t asked = config.get_int("top_k");
  if (asked < 0) throw UserError("top_k", "expected at least 0, got " + std::to_string(asked));
  if (head == models::Head::image_classification) return predict_images(config, std::max<int64_t>(asked, 1));
  if (head == models::Head::object_detection) return predict_objects(config);
  const int64_t top_k = asked > 0 ? asked : head == models::Head::masked_lm ? 5 : 1;
  const bool group = config.get_string("aggregation_strategy") == "simple";
  const infer::TextModel loaded = load_text_model(config, {.head = head});
  const models::ModelConfig& model = loaded.engine.model().config();

  answer_lines(config, [&](const std::vector<TextLine>& lines) {
    const std::vector<Encoding> encodings = encode(loaded, lines);
    const auto output = head == models::Head::sequence_classification ? infer::Output::sequence_logits
                        : head == models::Head::token_classification  ? infer::Output::token_logits
                                                                      : infer::Output::masked_lm;
    const auto results = loaded.engine.run(infer::token_sequences(encodings), output);
    std::string out;
    for (size_t i = 0; i < results.size(); ++i) {
      if (output == infer::Output::sequence_logits) infer::append_classification(out, model, results[i], top_k);
      if (output == infer::Output::token_logits) {
        infer::append_entities(out, model, loaded.tokenizer, encodings[i], results[i], group);
      }
      if (output == infer::Output::masked_lm)
        infer::append_fills(out, loaded.tokenizer, encodings[i], results[i], top_k);
      out += '\n';
    }
    return out;
  });
  return 0;
}

}  // namespace suanli::cli

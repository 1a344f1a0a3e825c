#include "base/error.h"
#include "base/json.h"
#include "cli/options.h"
#include "cli/predict_images.h"
#include "cli/predict_rows.h"
#include "cli/predict_series.h"
#include "cli/text_engine.h"
#include "cli/verbs.h"
#include "infer/passages.h"
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
    all.push_back({.name = "doc_stride",
                   .type = OptionType::integer,
                   .default_value = "128",
                   .help = "answers to questions: tokens that two windows of a long context share"});
    all.push_back({.name = "max_answer_length",
                   .type = OptionType::integer,
                   .default_value = "30",
                   .help = "answers to questions: tokens of an answer"});
    all.push_back({.name = "handle_impossible_answer",
                   .type = OptionType::boolean,
                   .default_value = "false",
                   .help = "answers to questions: the empty text where the context has none"});
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
                    "ForTokenClassification, ForQuestionAnswering, ForImageClassification, ForSemanticSegmentation, "
                    "ForObjectDetection or "
                    "ForMaskedLM), got a bare encoder; use `suanli embed`");
  }
  return head;
}

/// A line of answers for each question with its context.
void answer_questions(const Config& config, const infer::TextModel& loaded, int64_t top_k) {
  const AnswerOptions options = {.n_best_size = std::max<int64_t>(20, 2 * top_k + 10),
                                 .max_answer_length = config.get_int("max_answer_length"),
                                 .top_k = top_k,
                                 .handle_impossible_answer = config.get_bool("handle_impossible_answer")};
  const int64_t longest = infer::question_window_length(loaded);
  const int64_t stride = config.get_int("doc_stride");
  if (options.max_answer_length < 1 || stride < 0) {
    throw UserError("predict", "expected max_answer_length of at least 1 and doc_stride of at least 0");
  }
  answer_lines(config, [&](const std::vector<TextLine>& lines) {
    std::vector<infer::Passage> passages;
    for (const TextLine& line : lines) {
      if (!line.has_pair) throw UserError("input", "expected JSON lines with the fields question and context");
      passages.push_back(infer::passage_of(loaded.tokenizer, line.text, line.text_pair,
                                           {.max_length = longest, .doc_stride = std::min(stride, longest / 2)}));
    }
    const auto rows = loaded.engine.run(infer::window_sequences(passages), infer::Output::span_logits);
    std::string out;
    size_t row = 0;
    for (const infer::Passage& passage : passages) {
      const auto own = std::span(rows).subspan(row, passage.windows.size());
      row += passage.windows.size();
      infer::append_answers(out, infer::answers_in(passage, own, options), top_k);
      out += '\n';
    }
    return out;
  });
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
  if (config.is_given("output_dir") && !makes_pictures) {
    throw UserError("output_dir", "expected a model that makes pictures or masks, got another one; use --output FILE");
  }
  if (series) return predict_series(config);
  if (table) return predict_rows(config);
  const int64_t asked = config.get_int("top_k");
  if (asked < 0) throw UserError("top_k", "expected at least 0, got " + std::to_string(asked));
  if (models::reads_pictures(head)) return predict_images(config, head, std::max<int64_t>(asked, 1));
  const int64_t top_k = asked > 0 ? asked : head == models::Head::masked_lm ? 5 : 1;
  const bool group = config.get_string("aggregation_strategy") == "simple";
  const infer::TextModel loaded = load_text_model(config, {.head = head});
  if (head == models::Head::question_answering) {
    answer_questions(config, loaded, top_k);
    return 0;
  }
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

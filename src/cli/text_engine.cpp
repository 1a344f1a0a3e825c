#include "cli/text_engine.h"

#include <algorithm>

#include "base/error.h"
#include "base/profile.h"
#include "cli/options.h"
#include "nn/precision.h"
#include "ops/initialize.h"

namespace suanli::cli {

std::vector<Option> text_engine_options(const char* default_precision) {
  return {
      model_option(),
      {.name = "input",
       .type = OptionType::path,
       .default_value = "-",
       .help = "plain lines or JSON lines; for a model of tables CSV, TSV, libsvm or JSON lines; - is standard input"},
      {.name = "output", .type = OptionType::path, .default_value = "-", .help = "JSON lines; - is standard output"},
      device_option(),
      precision_option(default_precision),
      {.name = "max_length",
       .type = OptionType::integer,
       .default_value = "0",
       .help = "cut texts to this many tokens; 0: as the model was made",
       .aliases = {"max_seq_length"}},
      {.name = "window",
       .type = OptionType::integer,
       .default_value = "1024",
       .help = "lines read, sorted by length and answered together"},
      {.name = "tokens_per_batch",
       .type = OptionType::integer,
       .default_value = "4096",
       .help = "tokens that are computed together"},
      {.name = "cuda_graphs",
       .type = OptionType::boolean,
       .default_value = "true",
       .help = "on cuda: replay batches of sizes seen before as graphs"},
  };
}

std::vector<Encoding> TextEngine::encode(const std::vector<TextLine>& lines) const {
  const ProfileScope scope("tokenize");
  std::vector<Encoding> encodings;
  for (const TextLine& line : lines) {
    encodings.push_back(line.has_pair ? tokenizer.encode_pair(line.text, line.text_pair, encode_options)
                                      : tokenizer.encode(line.text, encode_options));
  }
  return encodings;
}

TextEngine load_text_engine(const Config& config, models::Head head, const infer::Pooling& pooling, int64_t longest) {
  initialize();
  const std::string folder = config.get_string("model");
  const Device device = device_named(config.get_string("device"));
  const auto [dtype, int8] = nn::inference_precision_named(config.get_string("precision"), device);
  if (config.get_int("window") < 1 || config.get_int("tokens_per_batch") < 1 || config.get_int("max_length") < 0) {
    throw UserError("options", "expected window and tokens_per_batch of at least 1 and max_length of at least 0");
  }
  Tokenizer tokenizer = Tokenizer::load(folder_with(folder, {"tokenizer.json", "vocab.txt"}));
  models::Model model =
      models::load_model(folder, {.head = head, .matrix_dtype = dtype, .int8 = int8, .device = device});
  if (head != models::Head::none && !model.initialized.empty()) {
    throw UserError(folder, "expected a model with a trained head, missing " + model.initialized.front() +
                                "; train it first, or use `suanli embed`");
  }
  EncodeOptions encode;
  encode.max_length = model.config().longest_sequence;
  for (const int64_t limit : {tokenizer.model_max_length(), longest, config.get_int("max_length")}) {
    if (limit > 0) encode.max_length = std::min(encode.max_length, limit);
  }
  const infer::EngineOptions options{.dtype = dtype,
                                     .tokens_per_batch = config.get_int("tokens_per_batch"),
                                     .pooling = pooling,
                                     .mask_id = tokenizer.special_ids().mask.value_or(-1),
                                     .cuda_graphs = config.get_bool("cuda_graphs")};
  return {std::move(tokenizer), infer::Engine(std::move(model), options), encode};
}

void answer_lines(const Config& config, const std::function<std::string(const std::vector<TextLine>&)>& answer) {
  TextLines lines(config.get_string("input"));
  Output output(config.get_string("output"));
  for (;;) {
    const auto window = lines.next(static_cast<size_t>(config.get_int("window")));
    if (window.empty()) break;
    output.write(answer(window));
  }
  output.close();
}

std::vector<infer::TokenSequence> token_sequences(const std::vector<Encoding>& encodings) {
  std::vector<infer::TokenSequence> out;
  for (const Encoding& encoding : encodings) out.push_back({encoding.ids, encoding.types});
  return out;
}

}  // namespace suanli::cli

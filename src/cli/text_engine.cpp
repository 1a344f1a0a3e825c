#include "cli/text_engine.h"

#include "base/error.h"
#include "base/profile.h"
#include "cli/options.h"

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

infer::TextModel load_text_model(const Config& config, infer::TextModelOptions options) {
  if (config.get_int("window") < 1)
    throw UserError("window", "expected at least 1, got " + config.get_string("window"));
  options.device = config.get_string("device");
  options.precision = config.get_string("precision");
  options.max_length = config.get_int("max_length");
  options.tokens_per_batch = config.get_int("tokens_per_batch");
  options.cuda_graphs = config.get_bool("cuda_graphs");
  return infer::load_text_model(config.get_string("model"), options);
}

std::vector<Encoding> encode(const infer::TextModel& model, const std::vector<TextLine>& lines) {
  const ProfileScope scope("tokenize");
  std::vector<Encoding> encodings;
  for (const TextLine& line : lines) {
    encodings.push_back(line.has_pair ? model.tokenizer.encode_pair(line.text, line.text_pair, model.encode_options)
                                      : model.tokenizer.encode(line.text, model.encode_options));
  }
  return encodings;
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

}  // namespace suanli::cli

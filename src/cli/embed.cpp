#include "base/json_text.h"
#include "cli/options.h"
#include "cli/text_engine.h"
#include "cli/verbs.h"

namespace suanli::cli {

int embed(Arguments arguments) {
  static const OptionTable table([] {
    auto options = text_engine_options("f32");
    options.push_back({.name = "pooling",
                       .type = OptionType::text,
                       .default_value = "auto",
                       .help = "from tokens to one vector; auto: as the folder says, else mean",
                       .choices = {"auto", "mean", "cls"}});
    options.push_back({.name = "normalize",
                       .type = OptionType::text,
                       .default_value = "auto",
                       .help = "vectors of length 1; auto: as the folder says, else no",
                       .choices = {"auto", "true", "false"}});
    return options;
  }());
  if (print_help(arguments, "suanli embed --model DIR [--input FILE] [--output FILE]", table)) return 0;
  Config config(table);
  read_options(config, arguments, "embed");

  infer::TextModelOptions options;
  if (config.get_string("pooling") != "auto") options.mean = config.get_string("pooling") == "mean";
  if (config.get_string("normalize") != "auto") options.normalize = config.get_string("normalize") == "true";
  const infer::TextModel model = load_text_model(config, options);

  answer_lines(config, [&](const std::vector<TextLine>& lines) {
    const std::vector<Encoding> encodings = encode(model, lines);
    std::string out;
    for (const auto& vector : model.engine.run(infer::token_sequences(encodings), infer::Output::embedding)) {
      out += "{\"embedding\": ";
      append_numbers(out, vector);
      out += "}\n";
    }
    return out;
  });
  return 0;
}

}  // namespace suanli::cli

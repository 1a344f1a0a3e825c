#include "base/error.h"
#include "cli/options.h"
#include "cli/text_engine.h"
#include "cli/verbs.h"
#include "formats/sentence_files.h"

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

  const auto folder = read_sentence_files(folder_with(config.get_string("model"), {"modules.json"}));
  infer::Pooling pooling;
  int64_t longest = 0;
  if (folder) {
    if (folder->pooling == SentencePooling::max || !folder->transformer_folder.empty()) {
      throw UserError(config.get_string("model"), "expected mean or cls pooling and the weights in the folder itself");
    }
    pooling = {.mean = folder->pooling == SentencePooling::mean, .normalize = folder->normalize};
    longest = folder->max_length;
  }
  if (config.get_string("pooling") != "auto") pooling.mean = config.get_string("pooling") == "mean";
  if (config.get_string("normalize") != "auto") pooling.normalize = config.get_string("normalize") == "true";
  const TextEngine engine = load_text_engine(config, models::Head::none, pooling, longest);

  answer_lines(config, [&](const std::vector<TextLine>& lines) {
    const std::vector<Encoding> encodings = engine.encode(lines);
    std::string out;
    for (const auto& vector : engine.engine.run(token_sequences(encodings), infer::Output::embedding)) {
      out += "{\"embedding\": ";
      append_numbers(out, vector);
      out += "}\n";
    }
    return out;
  });
  return 0;
}

}  // namespace suanli::cli

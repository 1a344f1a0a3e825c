#include "base/error.h"
#include "base/json_text.h"
#include "base/profile.h"
#include "cli/options.h"
#include "cli/text_engine.h"
#include "cli/verbs.h"

namespace suanli::cli {

namespace {

const OptionTable& tokenize_options() {
  static const OptionTable table({
      {.name = "model",
       .type = OptionType::path,
       .help = "folder with tokenizer.json or vocab.txt",
       .aliases = {"model_name_or_path"}},
      {.name = "input", .type = OptionType::path, .default_value = "-", .help = "plain lines or JSON lines"},
      {.name = "output", .type = OptionType::path, .default_value = "-", .help = "JSON lines"},
      {.name = "max_length",
       .type = OptionType::integer,
       .default_value = "0",
       .help = "cut to this many tokens; 0: do not cut",
       .aliases = {"max_seq_length"}},
      {.name = "add_special_tokens",
       .type = OptionType::boolean,
       .default_value = "true",
       .help = "with [CLS], [SEP] and the like"},
      {.name = "window", .type = OptionType::integer, .default_value = "1024", .help = "lines read together"},
  });
  return table;
}

void append_tokens(std::string& out, const Tokenizer& tokenizer, const Encoding& encoding) {
  out += "{\"ids\": [";
  for (size_t i = 0; i < encoding.size(); ++i) out += (i > 0 ? ", " : "") + std::to_string(encoding.ids[i]);
  out += "], \"tokens\": [";
  for (size_t i = 0; i < encoding.size(); ++i) {
    if (i > 0) out += ", ";
    append_string(out, tokenizer.token_of(encoding.ids[i]));
  }
  out += "], \"offsets\": [";
  for (size_t i = 0; i < encoding.size(); ++i) {
    const auto [begin, end] = encoding.offsets[i];
    out += (i > 0 ? ", [" : "[") + std::to_string(begin) + ", " + std::to_string(end) + "]";
  }
  out += "]}\n";
}

}  // namespace

int tokenize(Arguments arguments) {
  if (print_help(arguments, "suanli tokenize --model DIR [--input FILE] [--output FILE]", tokenize_options())) return 0;
  Config config(tokenize_options());
  read_options(config, arguments, "tokenize");
  const Tokenizer tokenizer = Tokenizer::load(config.get_string("model"));
  if (config.get_int("window") < 1) throw UserError("window", "expected at least 1 line");
  EncodeOptions encode;
  encode.max_length = config.get_int("max_length");
  encode.add_special_tokens = config.get_bool("add_special_tokens");
  answer_lines(config, [&](const std::vector<TextLine>& lines) {
    const ProfileScope scope("tokenize");
    std::string out;
    for (const TextLine& line : lines) {
      append_tokens(out, tokenizer,
                    line.has_pair ? tokenizer.encode_pair(line.text, line.text_pair, encode)
                                  : tokenizer.encode(line.text, encode));
    }
    return out;
  });
  return 0;
}

}  // namespace suanli::cli

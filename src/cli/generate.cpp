#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/json_text.h"
#include "cli/generate_images.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/text_lines.h"
#include "cli/verbs.h"
#include "infer/generation.h"
#include "infer/text_model.h"
#include "text/chat_template.h"
#include "text/continuation.h"

namespace suanli::cli {

namespace {

constexpr const char* kGenerateUsage =
    "suanli generate --model DIR --prompt TEXT [--max_new_tokens N] [--do_sample]\n"
    "       suanli generate --model DIR --prompt_file FILE\n"
    "       suanli generate --model DIR_OF_A_GAN --output GRID.png [--num_images N]";

const OptionTable& generate_options() {
  static const OptionTable table({
      model_option(),
      {.name = "prompt", .type = OptionType::text, .help = "what the text begins with; its continuation is printed"},
      {.name = "prompt_file",
       .type = OptionType::path,
       .help = "a prompt on each line (plain or JSON lines), - is standard input: one JSON line for each"},
      {.name = "output", .type = OptionType::path, .default_value = "-", .help = "- is standard output"},
      {.name = "chat",
       .type = OptionType::boolean,
       .default_value = "false",
       .help = "the prompt is a user's message: put it into the model's chat template"},
      {.name = "max_new_tokens", .type = OptionType::integer, .help = "at most so many"},
      {.name = "do_sample", .type = OptionType::boolean, .help = "draw tokens instead of taking the most likely"},
      {.name = "temperature", .type = OptionType::real, .help = "logits are divided by it when sampling"},
      {.name = "top_k", .type = OptionType::integer, .help = "sample among the k most likely; 0: all"},
      {.name = "top_p", .type = OptionType::real, .help = "sample among the fewest that hold this probability"},
      {.name = "min_p", .type = OptionType::real, .help = "sample above this part of the largest probability"},
      {.name = "repetition_penalty", .type = OptionType::real, .help = "above 1 makes what was said less likely"},
      {.name = "num_beams", .type = OptionType::integer, .help = "sequences that beam search keeps"},
      {.name = "length_penalty", .type = OptionType::real, .help = "beams: above 0 favours longer ones"},
      {.name = "early_stopping", .type = OptionType::boolean, .help = "beams: end with num_beams whole sequences"},
      {.name = "stop_strings", .type = OptionType::list, .help = "end behind the first of these texts"},
      {.name = "seed", .type = OptionType::integer, .default_value = "42", .help = "of sampling"},
      {.name = "num_images",
       .type = OptionType::integer,
       .default_value = "64",
       .help = "of a model that makes pictures: how many, in one PNG"},
      {.name = "batch_size",
       .type = OptionType::integer,
       .default_value = "8",
       .help = "prompts that advance together"},
      device_option(),
      precision_option("f32"),
  });
  return table;
}

/// generation_config.json, and over it what was given.
GenerationConfig generation_config(const Config& config) {
  GenerationConfig out = read_generation_config(base_model_folder(config.get_string("model")));
  const auto integer = [&](const char* name, int64_t& to) {
    if (config.is_given(name)) to = config.get_int(name);
  };
  const auto real = [&](const char* name, double& to) {
    if (config.is_given(name)) to = config.get_float(name);
  };
  const auto boolean = [&](const char* name, bool& to) {
    if (config.is_given(name)) to = config.get_bool(name);
  };
  integer("max_new_tokens", out.max_new_tokens);
  boolean("do_sample", out.do_sample);
  real("temperature", out.temperature);
  integer("top_k", out.top_k);
  real("top_p", out.top_p);
  real("min_p", out.min_p);
  real("repetition_penalty", out.repetition_penalty);
  integer("num_beams", out.num_beams);
  real("length_penalty", out.length_penalty);
  boolean("early_stopping", out.early_stopping);
  if (config.is_given("stop_strings")) out.stop_strings = config.get_list("stop_strings");
  out.seed = static_cast<uint64_t>(config.get_int("seed"));
  out.check();
  return out;
}

struct Writer {
  Tokenizer tokenizer;
  infer::Generator generator;
  GenerationConfig config;
  std::optional<ChatTemplate> chat;

  infer::TokenIds encode(const std::string& prompt) const {
    if (!chat) return tokenizer.encode(prompt).ids;
    return tokenizer.encode(chat->apply({{.role = "user", .content = prompt}}, true), {.add_special_tokens = false})
        .ids;
  }
  Continuation continuation(std::span<const int32_t> prompt) const { return {tokenizer, prompt, config.stop_strings}; }
};

/// Takes what is new of `added`, all tokens behind the prompt so far; true where the text stops.
bool take_new(Continuation& continuation, std::span<const int32_t> added) {
  return continuation.take(added.subspan(continuation.tokens()));
}

Writer load_writer(const Config& config) {
  const std::filesystem::path folder = config.get_string("model");
  auto [tokenizer, model, dtype] =
      infer::load_causal_model(folder, config.get_string("device"), config.get_string("precision"));
  std::optional<ChatTemplate> chat;
  if (config.get_bool("chat")) {
    chat = ChatTemplate::load(folder_with(folder, {"chat_template.jinja", "tokenizer_config.json"}));
  }
  return {std::move(tokenizer), infer::Generator(std::move(model), dtype), generation_config(config), std::move(chat)};
}

/// Writes the continuation as it grows: what has become whole characters.
void stream(const Writer& writer, const std::string& said, Output& output) {
  const infer::TokenIds prompt = writer.encode(said);
  Continuation continuation = writer.continuation(prompt);
  size_t written = 0;
  const auto write_rest = [&] {
    output.write(std::string_view(continuation.text()).substr(written));
    written = continuation.text().size();
  };
  writer.generator.generate(std::span(&prompt, 1), writer.config, [&](size_t, auto added) {
    const bool stops = take_new(continuation, added);
    write_rest();
    return stops;
  });
  continuation.end();
  write_rest();
  output.write("\n");
}

void answer(const Writer& writer, const std::vector<TextLine>& lines, Output& output) {
  std::vector<infer::TokenIds> prompts;
  std::vector<Continuation> continuations;
  for (const TextLine& line : lines) {
    prompts.push_back(writer.encode(line.text));
    continuations.push_back(writer.continuation(prompts.back()));
  }
  writer.generator.generate(prompts, writer.config,
                            [&](size_t p, auto added) { return take_new(continuations[p], added); });
  std::string out;
  for (size_t p = 0; p < lines.size(); ++p) {
    continuations[p].end();
    out += "{\"prompt\": ";
    append_string(out, lines[p].text);
    out += ", \"generated_text\": ";
    append_string(out, continuations[p].text());
    out += "}\n";
  }
  output.write(out);
}

}  // namespace

int generate(Arguments arguments) {
  if (print_help(arguments, kGenerateUsage, generate_options())) return 0;
  Config config(generate_options());
  read_options(config, arguments, "generate");
  const std::string folder = config.get_string("model");
  if (models::head_of(models::model_json(folder), folder + "/config.json") == models::Head::image_generation) {
    return generate_images(config);
  }
  if (config.is_given("prompt") == config.is_given("prompt_file")) {
    throw UserError("generate", "expected either prompt or prompt_file");
  }
  const int64_t batch = config.get_int("batch_size");
  if (batch < 1) throw UserError("batch_size", "expected at least 1, got " + std::to_string(batch));
  const Writer writer = load_writer(config);
  Output output(config.get_string("output"));
  if (config.is_given("prompt")) {
    stream(writer, config.get_string("prompt"), output);
  } else {
    TextLines lines(config.get_string("prompt_file"));
    for (;;) {
      const auto window = lines.next(static_cast<size_t>(batch));
      if (window.empty()) break;
      answer(writer, window, output);
    }
  }
  output.close();
  return 0;
}

}  // namespace suanli::cli

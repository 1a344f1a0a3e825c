#include "cli/options.h"
#include "cli/verbs.h"
#include "models/llama/gguf_folder.h"

namespace suanli::cli {

namespace {

const OptionTable& convert_options() {
  static const OptionTable table({
      {.name = "input", .type = OptionType::path, .help = "a GGUF file of a Llama model"},
      {.name = "output_dir", .type = OptionType::path, .help = "the folder to write"},
      {.name = "dtype",
       .type = OptionType::text,
       .default_value = "f32",
       .help = "of the weights",
       .choices = {"f32", "bf16"}},
  });
  return table;
}

}  // namespace

int convert(Arguments arguments) {
  if (print_help(arguments, "suanli convert --input FILE.gguf --output_dir DIR", convert_options())) return 0;
  Config config(convert_options());
  read_options(config, arguments, "convert");
  models::write_gguf_folder(GgufFile::open(config.get_string("input")), config.get_string("output_dir"),
                            config.get_string("dtype") == "bf16" ? DType::bf16 : DType::f32);
  return 0;
}

}  // namespace suanli::cli

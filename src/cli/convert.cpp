#include "cli/options.h"
#include "cli/verbs.h"
#include "formats/lora_folder.h"
#include "models/llama/gguf_folder.h"
#include "models/merge.h"

namespace suanli::cli {

namespace {

const OptionTable& convert_options() {
  static const OptionTable table({
      {.name = "input",
       .type = OptionType::path,
       .help = "a GGUF file of a Llama model, or the folder of an adapter (LoRA) to merge into its base"},
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
  if (print_help(arguments, "suanli convert --input FILE.gguf|ADAPTER_DIR --output_dir DIR", convert_options()))
    return 0;
  Config config(convert_options());
  read_options(config, arguments, "convert");
  const std::filesystem::path input = config.get_string("input"), output = config.get_string("output_dir");
  const DType dtype = config.get_string("dtype") == "bf16" ? DType::bf16 : DType::f32;
  if (is_adapter_folder(input)) {
    models::write_merged_folder(input, output, dtype);
  } else {
    models::write_gguf_folder(GgufFile::open(input), output, dtype);
  }
  return 0;
}

}  // namespace suanli::cli

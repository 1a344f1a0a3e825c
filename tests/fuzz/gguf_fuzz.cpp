/// Any bytes as a GGUF file: UserError, or tensors that lie inside the file.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "models/llama/gguf_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto file = suanli::GgufFile::parse(std::as_bytes(std::span(data, size)), "input");
    for (const auto& [name, entry] : file.entries()) {
      if (file.tensor(name).shape() != entry.shape) __builtin_trap();
    }
    suanli::models::gguf_config(file);
    suanli::models::gguf_tokenizer(file);
  } catch (const suanli::UserError&) {
  }
  return 0;
}

/// Any bytes as a safetensors file: UserError, or tensors that lie inside the file and cover its data exactly.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "formats/safetensors.h"

namespace {

void read_every_byte(const suanli::Tensor& tensor) {
  volatile uint8_t sink = 0;
  const auto* bytes = static_cast<const uint8_t*>(tensor.data());
  for (int64_t i = 0; i < tensor.bytes(); ++i) sink = sink ^ bytes[i];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto file = suanli::SafetensorsFile::parse(std::as_bytes(std::span(data, size)), "input");
    uint64_t covered = 0;
    for (const suanli::SafetensorsEntry& entry : file.entries()) {
      covered += entry.end - entry.begin;
      if (file.find(entry.name) != &entry) __builtin_trap();
      try {
        read_every_byte(file.tensor(entry));
      } catch (const suanli::UserError&) {  // a type, rank or boolean that the engine lacks
      }
    }
    if (covered != file.data_bytes()) __builtin_trap();
  } catch (const suanli::UserError&) {
  }
  return 0;
}

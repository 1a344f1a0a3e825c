// Any bytes as a tokenizer.json: either a UserError or a tokenizer that encodes, truncates and decodes without a fault.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::string_view kTexts[] = {
      "", "Hello, the 3 worlds!  [MASK] it's", "\xe4\xb8\xad\xe6\x96\x87 caf\xc3\xa9 \xff\xed\xa0\x80",
      "a\xcc\x81\xcc\xa7 <mask>\t\n <s>", "abababababababababababababababababababababababababababababababab"};
  try {
    const std::string_view json(reinterpret_cast<const char*>(data), size);
    const suanli::Tokenizer tokenizer = suanli::Tokenizer::from_json(json, "fuzz");
    for (const std::string_view text : kTexts) {
      try {
        const suanli::Encoding encoding = tokenizer.encode(text);
        tokenizer.decode(encoding.ids, false);
        suanli::EncodeOptions options;
        options.max_length = 6;
        tokenizer.encode_pair(text, kTexts[1], options);
      } catch (const suanli::UserError&) {
      }
    }
  } catch (const suanli::UserError&) {
  }
  return 0;
}

#include "text/encoding.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {

void pad(std::span<Encoding> batch, const PaddingOptions& options) {
  constexpr int64_t kLongest = int64_t{1} << 31;
  if (options.length < 0 || options.length > kLongest || options.multiple_of < 0 || options.multiple_of > kLongest) {
    throw UserError("padding", concat("expected a length and a multiple from 0 to ", kLongest, ", found ",
                                      options.length, " and ", options.multiple_of));
  }
  auto length = static_cast<size_t>(options.length);
  if (length == 0) {
    for (const Encoding& encoding : batch) length = std::max(length, encoding.size());
  }
  if (const auto multiple = static_cast<size_t>(options.multiple_of); multiple > 0 && length % multiple != 0) {
    length += multiple - length % multiple;
  }
  for (Encoding& encoding : batch) {
    if (encoding.size() >= length) continue;
    const size_t missing = length - encoding.size();
    const auto extend = [&](auto& list, auto value) {
      list.insert(options.side == Side::right ? list.end() : list.begin(), missing, value);
    };
    extend(encoding.ids, options.id);
    extend(encoding.types, options.type);
    extend(encoding.offsets, std::pair<uint32_t, uint32_t>{0, 0});
    extend(encoding.word_ids, -1);
    extend(encoding.special, uint8_t{1});
    extend(encoding.attention, uint8_t{0});
  }
}

}  // namespace suanli

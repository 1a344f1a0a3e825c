#include "fatbin.h"

#include <zstd.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace stand_in {
namespace {

constexpr uint32_t kFatbin = 0xba55ed50, kWrapper = 0x466243b1, kZstd = 0xfd2fb528;
constexpr uint16_t kPtxEntry = 1;
constexpr uint64_t kCompressed = 0x2000 | 0x8000;  // by LZ4, by Zstandard

template <class T>
T read(const char* at) {
  T out;
  std::memcpy(&out, at, sizeof out);
  return out;
}

/// After its header of 16 bytes a fatbin is entries: kind at 0, size of the entry's header at 4, of its payload at 8,
/// compressed size at 16, flags at 40, size of the text at 56.
std::string text_of(const char* entry) {
  const char* payload = entry + read<uint32_t>(entry + 4);
  if ((read<uint64_t>(entry + 40) & kCompressed) == 0) return {payload, strnlen(payload, read<uint64_t>(entry + 8))};
  if (read<uint32_t>(payload) == kZstd) {
    std::string out(read<uint64_t>(entry + 56), '\0');
    const size_t size = ZSTD_decompress(out.data(), out.size(), payload, read<uint32_t>(entry + 16));
    if (ZSTD_isError(size)) throw std::runtime_error("[ptx] the fatbin's PTX does not decompress");
    out.resize(strnlen(out.data(), size));
    return out;
  }
  throw std::runtime_error(
      "[ptx] the fatbin's PTX is compressed in a way that the stand-in does not read: build it with --no-compress");
}

}  // namespace

std::string ptx_of(const void* image) {
  const char* at = static_cast<const char*>(image);
  if (read<uint32_t>(at) == kWrapper) at = read<const char*>(at + 8);
  if (read<uint32_t>(at) != kFatbin) return at;
  const char* const end = at + read<uint16_t>(at + 6) + read<uint64_t>(at + 8);
  for (at += read<uint16_t>(at + 6); at < end; at += read<uint32_t>(at + 4) + read<uint64_t>(at + 8)) {
    if (read<uint16_t>(at) == kPtxEntry) return text_of(at);
  }
  throw std::runtime_error("[ptx] the fatbin holds no PTX: build it with code=compute_80 beside the machines");
}

}  // namespace stand_in

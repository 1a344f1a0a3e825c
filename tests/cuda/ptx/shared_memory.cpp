#include "shared_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "memory.h"

namespace ptx {

void Clocks::reset(int warps) {
  uint32_t latest = 0;
  for (const auto& row : clock_) latest = std::max(latest, *std::max_element(row.begin(), row.end()));
  for (int w = 0; w < warps; ++w) {
    clock_[w].fill(latest);
    clock_[w][w] = latest + 1;
  }
}

void Clocks::block_barrier(const std::vector<int>& arriving, const std::vector<int>& leaving) {
  std::array<uint32_t, kMaxWarps> merged{};
  for (const int warp : arriving) {
    for (int v = 0; v < kMaxWarps; ++v) merged[v] = std::max(merged[v], clock_[warp][v]);
  }
  for (const int warp : leaving) {
    for (int v = 0; v < kMaxWarps; ++v) clock_[warp][v] = std::max(clock_[warp][v], merged[v]);
  }
  std::vector<int> all = arriving;
  for (const int warp : leaving) {
    if (std::find(all.begin(), all.end(), warp) == all.end()) all.push_back(warp);
  }
  for (const int warp : all) ++clock_[warp][warp];
}

void SharedMemory::reset(uint32_t bytes) {
  data_.assign(bytes, std::byte{0xff});
  state_.assign(bytes, kNeverWritten);
  words_.resize((bytes + 3) / 4);
  bytes_.resize(words_.size() * 4);
}

void SharedMemory::check(Record& record, Touch kind, const Clocks& clocks, int warp, int lane, uint32_t offset) {
  const auto against = [&](const Party& party, const char* what) {
    const LaneMask self = party.warp == warp ? LaneMask{1} << lane : 0;
    if ((party.lanes & ~self) == 0 || clocks.happened_before(party.warp, party.interval, warp)) return;
    const int other = party.warp * kWarpSize + std::countr_zero(party.lanes & ~self);
    throw Finding(fmt::format("race: {} shared byte {} that thread {} {} with no barrier between",
                              kind == Touch::read ? "reads" : "writes", offset, other, what));
  };
  const Party self{clocks.now(warp), LaneMask{1} << lane, static_cast<uint8_t>(warp)};
  const auto join = [&](Party& party) {
    if (party.warp == warp && party.interval == self.interval)
      party.lanes |= self.lanes;
    else
      party = self;
  };
  if (!(kind == Touch::atomic && record.by_atomic)) against(record.writer, "wrote");
  if (kind == Touch::read) {
    if (record.readers[0].lanes != 0 && record.readers[0].warp != warp) std::swap(record.readers[0], record.readers[1]);
    join(record.readers[0]);
    return;
  }
  for (const Party& reader : record.readers) against(reader, "read");
  if (kind == Touch::atomic && record.by_atomic)
    join(record.writer);
  else
    record.writer = self;
  record.by_atomic = kind == Touch::atomic;
}

void SharedMemory::touch_first(Touch kind, const Clocks& clocks, int warp, int lane, uint32_t offset, uint32_t size) {
  if (kind != Touch::write) {
    for (uint32_t k = offset; k < offset + size; ++k) {
      if (state_[k] == kWritten) continue;
      throw Finding(state_[k] == kPromised
                        ? fmt::format("reads shared byte {} that a cp.async may still be writing: no wait since", k)
                        : fmt::format("reads shared byte {} that nothing wrote", k));
    }
  } else {
    std::memset(&state_[offset], kWritten, size);
  }
  for (uint32_t at = offset; at < offset + size;) {
    Record& word = words_[at / 4];
    const uint32_t first = at / 4 * 4, end = std::min(first + 4, offset + size);
    const bool whole = at == first && end == first + 4;
    if (!whole && !word.in_parts) {
      std::fill_n(&bytes_[first], 4, word);
      word.in_parts = true;
    }
    if (!word.in_parts) {
      check(word, kind, clocks, warp, lane, at);
    } else {
      for (uint32_t byte = at; byte < end; ++byte) check(bytes_[byte], kind, clocks, warp, lane, byte);
      if (whole && kind == Touch::write) word = bytes_[first], word.in_parts = false;
    }
    at = end;
  }
}

void SharedMemory::promise(const Clocks& clocks, int warp, int lane, uint32_t offset, uint32_t size) {
  touch(Touch::write, clocks, warp, lane, offset, size);
  std::memset(&state_[offset], kPromised, size);
}

void SharedMemory::arrive(const Clocks& clocks, int warp, int lane, uint32_t offset, const std::byte* from,
                          uint32_t size) {
  touch(Touch::write, clocks, warp, lane, offset, size);
  std::memcpy(&data_[offset], from, size);
}

}  // namespace ptx

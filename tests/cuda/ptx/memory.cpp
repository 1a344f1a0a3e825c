#include "memory.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "program.h"

namespace ptx {
namespace {

constexpr uint64_t kAlignment = 256;
constexpr uint64_t kGap = 4096;  // between allocations: what runs over one end does not land in the next

}  // namespace

Memory::~Memory() {
  for (auto& [begin, allocation] : allocations_) std::free(allocation.data);
}

uint64_t Memory::allocate(uint64_t bytes) {
  if (bytes == 0 || bytes > capacity_ - used_) return 0;
  const uint64_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  auto* data = static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded));
  auto* written = static_cast<uint8_t*>(std::calloc(bytes, 1));
  if (!data || !written) throw std::bad_alloc();
  const uint64_t begin = kDeviceBase + next_;
  next_ += rounded + kGap;
  used_ += bytes;
  allocations_[begin] = Allocation{begin, bytes, data, std::unique_ptr<uint8_t[], Free>(written)};
  return begin;
}

bool Memory::release(uint64_t address) {
  const auto found = allocations_.find(address);
  if (found == allocations_.end() || found->second.freed) return false;
  std::free(found->second.data);
  found->second.data = nullptr;
  found->second.written.reset();
  found->second.freed = true;
  used_ -= found->second.bytes;
  return true;
}

Allocation& Memory::at(uint64_t address, uint64_t bytes) {
  auto found = allocations_.upper_bound(address);
  if (found == allocations_.begin()) throw Finding(fmt::format("address {:#x} lies in no allocation", address));
  Allocation& allocation = (--found)->second;
  if (allocation.holds(address, bytes)) return allocation;
  const int64_t past_the_end = static_cast<int64_t>(address + bytes - allocation.begin - allocation.bytes);
  if (allocation.freed && past_the_end <= 0) {
    throw Finding(fmt::format("address {:#x} lies in {} bytes that were freed", address, allocation.bytes));
  }
  throw Finding(fmt::format("{} bytes at {:#x} end {} bytes after an allocation of {} bytes", bytes, address,
                            past_the_end, allocation.bytes));
}

std::byte* Memory::host(uint64_t address, uint64_t bytes, bool will_write) {
  Allocation& allocation = at(address, bytes);
  const uint64_t offset = address - allocation.begin;
  uint8_t* const written = &allocation.written[offset];
  if (will_write) {
    std::memset(written, 1, bytes);
  } else if (std::memchr(written, 0, bytes)) {
    for (uint64_t k = 0; k < bytes; ++k) {
      if (!written[k]) allocation.data[offset + k] = std::byte{0xff};
    }
  }
  return allocation.data + offset;
}

}  // namespace ptx

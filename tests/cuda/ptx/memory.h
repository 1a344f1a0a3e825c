/// Device memory of the stand-in: allocations with a shadow byte for every byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

namespace ptx {

/// What a check found; the text says which thread did what to which address.
struct Finding : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

struct Allocation {
  uint64_t begin = 0, bytes = 0;             // device address
  std::byte* data = nullptr;                 // the same bytes on the host; only the stand-in knows them
  std::unique_ptr<uint8_t[], Free> written;  // 1 for each byte that something wrote
  bool freed = false;

  bool holds(uint64_t address, uint64_t size) const {
    return address >= begin && address + size <= begin + bytes && !freed;
  }
};

/// Addresses begin at kDeviceBase, where no host pointer can point: host code that follows one crashes.
/// An address is never given out twice, so that a use after the free is always seen.
class Memory {
 public:
  ~Memory();
  /// 256-byte aligned. Returns 0 when more than the capacity would be in use. Costs little until it is touched: a
  /// library's workspace is large and mostly left alone.
  uint64_t allocate(uint64_t bytes);
  /// False for an address that allocate did not return or that is free already.
  bool release(uint64_t address);
  /// The allocation that holds these bytes; throws Finding that says what lies there instead.
  Allocation& at(uint64_t address, uint64_t bytes);
  /// Host pointer to device bytes for copies; marks them written where `will_write`. To a reader, bytes that nothing
  /// wrote are a pattern that is a NaN in every float type.
  std::byte* host(uint64_t address, uint64_t bytes, bool will_write);

  uint64_t used() const { return used_; }
  uint64_t capacity() const { return capacity_; }

 private:
  std::map<uint64_t, Allocation> allocations_;  // by begin
  uint64_t next_ = 0, used_ = 0, capacity_ = uint64_t{8} << 30;
};

}  // namespace ptx

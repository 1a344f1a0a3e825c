#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "block.h"
#include "warp.h"

namespace ptx {
namespace {

bool all_written(const uint8_t* written, uint32_t bytes) {
  static constexpr uint8_t kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  switch (bytes) {
    case 2:
      return std::memcmp(written, kOnes, 2) == 0;
    case 4:
      return std::memcmp(written, kOnes, 4) == 0;
    case 8:
      return std::memcmp(written, kOnes, 8) == 0;
    case 16:
      return std::memcmp(written, kOnes, 16) == 0;
    default:
      return std::memcmp(written, kOnes, bytes) == 0;
  }
}

void mark_written(uint8_t* written, uint32_t bytes) {
  switch (bytes) {
    case 2:
      std::memset(written, 1, 2);
      break;
    case 4:
      std::memset(written, 1, 4);
      break;
    case 8:
      std::memset(written, 1, 8);
      break;
    case 16:
      std::memset(written, 1, 16);
      break;
    default:
      std::memset(written, 1, bytes);
      break;
  }
}

Touch touch_of(Warp::Use use) {
  return use == Warp::Use::read ? Touch::read : use == Warp::Use::write ? Touch::write : Touch::atomic;
}

}  // namespace

template <class F>
void Warp::reporting(const Instruction& i, const int& lane, F&& access) const {
  try {
    access();
  } catch (const Finding& finding) {
    if (std::string_view(finding.what()).starts_with("[ptx]")) throw;
    report(i, lane, finding.what());
  }
}

uint64_t Warp::address_of(const Instruction& i, Slot address, int lane) {
  const uint64_t base = i.control[kAddressWidth] == 4 ? at<uint32_t>(address)[lane] : at<uint64_t>(address)[lane];
  return base + static_cast<uint64_t>(i.value);
}

std::byte* Warp::checked(const Instruction& i, uint64_t address, Space space, Use use, uint32_t bytes,
                         uint32_t alignment, int lane) {
  if (address % alignment != 0)
    report(i, lane, fmt::format("misaligned: {} bytes at address {:#x}", alignment, address));
  if (space == Space::generic) {
    if (address >= kDeviceBase)
      space = Space::global;
    else if (address - kSharedWindow < kWindowBytes)
      space = Space::shared, address -= kSharedWindow;
    else if (address - kLocalWindow < kWindowBytes)
      space = Space::local, address -= kLocalWindow;
    else if (address - kParameterWindow < kWindowBytes)
      space = Space::parameter, address -= kParameterWindow;
    else
      space = Space::global;
  }
  const auto within = [&](uint64_t size, const char* name) {
    if (address + bytes > size || address + bytes < bytes) {
      report(i, lane, fmt::format("{} bytes at {} of {} {} bytes", bytes, static_cast<int64_t>(address), size, name));
    }
  };
  switch (space) {
    case Space::shared: {
      SharedMemory& shared = block_.shared();
      within(shared.bytes(), "shared");
      shared.touch(touch_of(use), block_.clocks(), number_, lane, static_cast<uint32_t>(address), bytes);
      return shared.data(static_cast<uint32_t>(address));
    }
    case Space::local: {
      const uint32_t size = block_.launch().kernel.local_bytes;
      within(size, "local");
      const size_t offset = size_t{size} * lane + address;
      if (use == Use::write)
        std::memset(&local_written_[offset], 1, bytes);
      else if (!all_written(&local_written_[offset], bytes))
        report(i, lane, fmt::format("reads local byte {} that nothing wrote", address));
      return &local_[offset];
    }
    case Space::parameter:
      within(block_.launch().parameters.size(), "parameter");
      return const_cast<std::byte*>(&block_.launch().parameters[address]);
    default:
      break;
  }
  if (!last_allocation_ || !last_allocation_->holds(address, bytes))
    last_allocation_ = &block_.memory().at(address, bytes);
  const uint64_t offset = address - last_allocation_->begin;
  uint8_t* written = &last_allocation_->written[offset];
  if (use == Use::write)
    mark_written(written, bytes);
  else if (!all_written(written, bytes))
    report(i, lane, fmt::format("reads {} bytes at {:#x} of which something was never written", bytes, address));
  return last_allocation_->data + offset;
}

bool Warp::in_last_allocation(const uint64_t* addresses, Use use, uint32_t bytes, uint32_t alignment, LaneMask lanes,
                              std::byte** pointers) {
  if (!last_allocation_ || last_allocation_->freed || last_allocation_->bytes < bytes) return false;
  const Allocation& memory = *last_allocation_;
  const uint64_t last = memory.bytes - bytes;
  bool outside = false;
  for_lanes(lanes, [&](int lane) {
    const uint64_t offset = addresses[lane] - memory.begin;
    outside |= offset > last || (addresses[lane] & (alignment - 1)) != 0;
    pointers[lane] = memory.data + offset;
  });
  if (outside) return false;
  bool written = true;
  for_lanes(lanes, [&](int lane) {
    uint8_t* const shadow = memory.written.get() + (addresses[lane] - memory.begin);
    if (use == Use::write)
      mark_written(shadow, bytes);
    else
      written = written && all_written(shadow, bytes);
  });
  return written;
}

bool Warp::in_shared(const Instruction& i, const uint64_t* addresses, Use use, uint32_t bytes, uint32_t alignment,
                     LaneMask lanes, std::byte** pointers) {
  SharedMemory& shared = block_.shared();
  bool outside = shared.bytes() < bytes;
  for_lanes(lanes, [&](int lane) {
    outside |= addresses[lane] > shared.bytes() - bytes || (addresses[lane] & (alignment - 1)) != 0;
  });
  if (outside) return false;
  int at = 0;
  reporting(i, at, [&] {
    for_lanes(lanes, [&](int lane) {
      at = lane;
      const auto offset = static_cast<uint32_t>(addresses[lane]);
      shared.touch(touch_of(use), block_.clocks(), number_, lane, offset, bytes);
      pointers[lane] = shared.data(offset);
    });
  });
  return true;
}

void Warp::resolve(const Instruction& i, Slot address, Space space, Use use, uint32_t bytes, LaneMask lanes,
                   std::byte** pointers, uint32_t alignment) {
  uint64_t addresses[kWarpSize] = {};
  if (alignment == 0) alignment = bytes;
  for_lanes(lanes, [&](int lane) { addresses[lane] = address_of(i, address, lane); });
  const bool on_device = space == Space::global || space == Space::generic || space == Space::constant;
  const bool done = on_device
                        ? in_last_allocation(addresses, use, bytes, alignment, lanes, pointers)
                        : space == Space::shared && in_shared(i, addresses, use, bytes, alignment, lanes, pointers);
  if (!done) {
    for_lanes(lanes, [&](int lane) {
      reporting(i, lane, [&] { pointers[lane] = checked(i, addresses[lane], space, use, bytes, alignment, lane); });
    });
  }
  if (!counting() || space == Space::parameter || space == Space::local) return;
  const uint64_t first = addresses[std::countr_zero(lanes)];
  if (space == Space::shared || first - kSharedWindow < kWindowBytes)
    block_.counters().shared_request(addresses, lanes, bytes);
  else
    block_.counters().global_request(addresses, lanes, bytes);
}

void Warp::copy_local(uint32_t from, uint32_t to, uint32_t bytes, LaneMask lanes) {
  for_lanes(lanes, [&](int lane) {
    const size_t own = size_t{block_.launch().kernel.local_bytes} * lane;
    std::memcpy(&local_[own + to], &local_[own + from], bytes);
    std::memcpy(&local_written_[own + to], &local_written_[own + from], bytes);
  });
}

void Warp::commit_copies(LaneMask lanes) {
  for_lanes(lanes, [&](int lane) { ++commits_[lane]; });
}

void Warp::wait_for_copies(const Instruction& i, LaneMask lanes, uint32_t groups_that_may_be_open) {
  std::erase_if(copies_, [&](const AsyncCopy& copy) {
    const bool done =
        (lanes >> copy.lane & 1) != 0 && uint64_t{copy.group} + groups_that_may_be_open < commits_[copy.lane];
    if (done)
      reporting(i, copy.lane, [&] {
        block_.shared().arrive(block_.clocks(), number_, copy.lane, copy.offset, copy.data, copy.bytes);
      });
    return done;
  });
}

void Warp::wait_for_all_copies(const Instruction& i, LaneMask lanes) {
  commit_copies(lanes);
  wait_for_copies(i, lanes, 0);
}

void Warp::add_copy(const Instruction& i, const AsyncCopy& copy) {
  const uint32_t size = block_.shared().bytes();
  if (copy.offset % copy.bytes != 0)
    report(i, copy.lane, fmt::format("misaligned: {} bytes to shared byte {}", copy.bytes, copy.offset));
  if (uint64_t{copy.offset} + copy.bytes > size)
    report(i, copy.lane, fmt::format("{} bytes at {} of {} shared bytes", copy.bytes, copy.offset, size));
  reporting(i, copy.lane,
            [&] { block_.shared().promise(block_.clocks(), number_, copy.lane, copy.offset, copy.bytes); });
  copies_.push_back(copy);
}

}  // namespace ptx

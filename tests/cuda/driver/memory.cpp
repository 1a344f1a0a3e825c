/// The driver API: device memory, pinned memory, copies.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "state.h"

using stand_in::guarded;
using stand_in::State;

namespace {

/// SUANLI_STAND_IN_MEMORY in bytes makes the device smaller.
uint64_t capacity(const State& s) {
  static const char* const limit = std::getenv("SUANLI_STAND_IN_MEMORY");
  return limit ? std::max<uint64_t>(std::strtoull(limit, nullptr, 10), s.memory.used()) : s.memory.capacity();
}

}  // namespace

/// For the stand-ins of other libraries: host pointer to device bytes. Null, after a line on stderr and with the sticky
/// error, where they are no allocation's or are to be read and were never written.
extern "C" void* stand_in_host_pointer(CUdeviceptr address, size_t bytes, int will_write) {
  try {
    ptx::Memory& memory = stand_in::state().memory;
    const ptx::Allocation& allocation = memory.at(address, bytes);
    if (!will_write && std::memchr(&allocation.written[address - allocation.begin], 0, bytes)) {
      throw ptx::Finding("a library reads device memory that nothing wrote");
    }
    return memory.host(address, bytes, will_write != 0);
  } catch (const ptx::Finding& finding) {
    std::fprintf(stderr, "[ptx] %s\n", finding.what());
    stand_in::state().failed = CUDA_ERROR_ILLEGAL_ADDRESS;
    return nullptr;
  }
}

extern "C" {

CUresult cuMemAlloc_v2(CUdeviceptr* out, size_t bytes) {
  return guarded([&](State& s) {
    if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    if (s.captures_for_all_threads()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    if (bytes > capacity(s) - s.memory.used()) return CUDA_ERROR_OUT_OF_MEMORY;
    *out = s.memory.allocate(bytes);
    return *out != 0 ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
  });
}

CUresult cuMemFree_v2(CUdeviceptr address) {
  return guarded([&](State& s) {
    if (s.captures_for_all_threads()) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    if (s.has_work()) ++s.host_waits;
    s.drain_all();
    return address == 0 || s.memory.release(address) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice) { return *bytes = capacity(stand_in::state()), CUDA_SUCCESS; }

// Unified memory is device memory that has the host's to grow into: beyond the capacity above, up to the machine's.
CUresult cuMemAllocManaged(CUdeviceptr* out, size_t bytes, unsigned flags) {
  return guarded([&](State& s) {
    if (bytes == 0 || flags != CU_MEM_ATTACH_GLOBAL) return CUDA_ERROR_INVALID_VALUE;
    *out = s.memory.allocate(bytes);
    return *out != 0 ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
  });
}
CUresult cuMemAdvise_v2(CUdeviceptr address, size_t bytes, CUmem_advise, CUmemLocation) {
  return guarded([&](State& s) { return s.memory.at(address, bytes), CUDA_SUCCESS; });
}
CUresult cuMemPrefetchAsync_v2(CUdeviceptr address, size_t bytes, CUmemLocation, unsigned, CUstream stream) {
  return guarded([&](State& s) {
    if (s.stream_of(stream)->capture) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    return s.memory.at(address, bytes), CUDA_SUCCESS;
  });
}

CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  return guarded([&](State& s) {
    *total = capacity(s);
    *free = *total - s.memory.used();
    return CUDA_SUCCESS;
  });
}

CUresult cuMemAllocHost_v2(void** out, size_t bytes) {
  return guarded([&](State& s) {
    *out = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (*out) s.pinned[static_cast<std::byte*>(*out)] = bytes;
    return *out ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
  });
}

CUresult cuMemFreeHost(void* pointer) {
  return guarded([&](State& s) {
    s.drain_all();
    if (s.pinned.erase(static_cast<std::byte*>(pointer)) == 0) return CUDA_ERROR_INVALID_VALUE;
    std::free(pointer);
    return CUDA_SUCCESS;
  });
}

// Pinned memory is read or written when the stream comes to it; other memory before the call returns.
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
  return guarded([&](State& s) {
    if (s.is_pinned(from, bytes) || s.stream_of(stream)->capture) {
      s.enqueue(stream, 'u', [&s, to, from, bytes] { std::memcpy(s.memory.host(to, bytes, true), from, bytes); });
    } else {
      const auto* first = static_cast<const std::byte*>(from);
      s.enqueue(stream, 'u', [&s, to, copy = std::vector<std::byte>(first, first + bytes)] {
        std::memcpy(s.memory.host(to, copy.size(), true), copy.data(), copy.size());
      });
    }
    return CUDA_SUCCESS;
  });
}

CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return guarded([&](State& s) {
    s.enqueue(stream, 'd', [&s, to, from, bytes] { std::memcpy(to, s.memory.host(from, bytes, false), bytes); });
    if (!s.is_pinned(to, bytes) && !s.stream_of(stream)->capture) {
      ++s.host_waits;
      s.drain(s.stream_of(stream));
    }
    return CUDA_SUCCESS;
  });
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return guarded([&](State& s) {
    s.enqueue(stream, 'm', [&s, to, from, bytes] {
      ptx::Allocation& source = s.memory.at(from, bytes);
      ptx::Allocation& target = s.memory.at(to, bytes);
      std::memmove(target.data + (to - target.begin), source.data + (from - source.begin), bytes);
      std::memmove(&target.written[to - target.begin], &source.written[from - source.begin], bytes);
    });
    return CUDA_SUCCESS;
  });
}

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, CUstream stream) {
  return guarded([&](State& s) {
    s.enqueue(stream, 'm', [&s, to, value, bytes] { std::memset(s.memory.host(to, bytes, true), value, bytes); });
    return CUDA_SUCCESS;
  });
}

}  // extern "C"

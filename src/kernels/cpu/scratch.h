/// Working memory of a thread that grows to the largest request and is kept, so that kernels do not allocate.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace suanli::kernels {

/// A growing 64-byte aligned block; its content is lost when it grows.
class Scratch {
 public:
  /// At least `count` elements of T, valid until the next call. Throws std::bad_alloc.
  template <class T>
  T* get(int64_t count) {
    const size_t bytes = (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
    if (bytes > bytes_) {
      bytes_ = 0;
      memory_.reset();
      memory_.reset(std::aligned_alloc(64, bytes));
      if (!memory_) throw std::bad_alloc();
      bytes_ = bytes;
    }
    return static_cast<T*>(memory_.get());
  }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> memory_;
  size_t bytes_ = 0;
};

/// The caller's block for partial results that all threads of a kernel write.
inline Scratch& shared_scratch() {
  static thread_local Scratch scratch;
  return scratch;
}

/// The block of one thread inside a kernel.
inline Scratch& local_scratch() {
  static thread_local Scratch scratch;
  return scratch;
}

}  // namespace suanli::kernels

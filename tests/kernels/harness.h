/// Runs every implementation of a kernel against its definition: ref in f64 on the same, already rounded inputs. CUDA's
/// run where a CUDA device is there, over copies of the same guarded buffers in its memory.
///
/// A Problem lists the arrays of one call and builds its arguments. For a dtype, check() rounds the inputs to it, runs
/// ref in f64 for the exact answer, and then demands of every implementation that can run:
///   - each output within the bound of its derivation (tests/tolerance.h), NaN and infinities where the exact has them;
///   - inputs unchanged, nothing written outside the outputs, buffers at odd addresses accepted;
///   - the same bits with 1, 2 and 4 threads (a matrix product of a vendor: the same bits with the same threads), or in
///     a second run on a device.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/random.h"
#include "kernels/registry.h"
#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tolerance.h"

namespace suanli::testing {

using Values = std::vector<double>;
using Pointers = std::vector<void*>;

/// Which dtype an array has in a run of dtype D.
enum class Kind {
  data,       ///< D
  statistic,  ///< f32, f64 for f64
  full,       ///< f64 always
  index,      ///< i32
  single,     ///< f32 always
  byte        ///< i8
};
inline DType dtype_of_kind(Kind kind, DType dtype) {
  switch (kind) {
    case Kind::data:
      return dtype;
    case Kind::statistic:
      return sum_dtype(dtype);
    case Kind::full:
      return DType::f64;
    case Kind::index:
      return DType::i32;
    case Kind::single:
      return DType::f32;
    case Kind::byte:
      return DType::i8;
  }
  return dtype;
}

/// What an output may differ from the exact value before it is stored: element, exact values of all arrays, dtype.
using Bound = std::function<double(size_t, const std::vector<Values>&, DType)>;

struct Array {
  std::string name;
  Kind kind = Kind::data;
  Values values;      ///< of an input; for an output its size and what lies there before
  Bound bound;        ///< set for outputs
  int alias = -1;     ///< an output that shares the buffer of this earlier array
  bool null = false;  ///< passed as a null pointer

  static Array input(std::string name, Values values, Kind kind = Kind::data) {
    return {std::move(name), kind, std::move(values), nullptr};
  }
  static Array output(std::string name, int64_t count, Bound bound, Kind kind = Kind::data) {
    return {std::move(name), kind, Values(static_cast<size_t>(count), -77.0), std::move(bound)};
  }
  static Array absent(std::string name) { return {std::move(name), Kind::data, {}, nullptr, -1, true}; }
  /// An output over an earlier array (in place).
  Array over(int earlier) && {
    alias = earlier;
    return std::move(*this);
  }
};

template <class Args>
struct Problem {
  std::string label;
  std::vector<Array> arrays;
  std::function<Args(DType, const Pointers&)> args;
  /// False for a kernel that may split its sums by the number of threads: then equal runs alone give equal bits.
  bool bits_without_threads = true;
};

/// `count` normal numbers, from `site`, times `size`.
inline Values normal(int64_t count, uint32_t site, double size = 1) {
  RandomGenerator random({.seed = 7, .step = 0, .site = site});
  Values out(static_cast<size_t>(count));
  for (double& value : out) value = size * random.next_normal();
  return out;
}

inline double round_to(DType dtype, double value) {
  switch (dtype) {
    case DType::f32:
      return static_cast<float>(value);
    case DType::bf16:
      return bfloat16(static_cast<float>(value));
    case DType::f16:
      return float16(static_cast<float>(value));
    default:
      return value;
  }
}

/// Memory for one array with guard bytes around it, `shift` elements past a 256-byte boundary.
class GuardedBuffer {
 public:
  GuardedBuffer(DType dtype, const Values& values, int shift);
  void* data() { return bytes_.data() + begin_; }
  /// All of it, with the guards, and the place of the first element in it.
  std::vector<std::byte>& bytes() { return bytes_; }
  size_t begin() const { return begin_; }
  Values read() const;
  /// True when the bytes around the elements are as they were.
  bool guards_intact() const;
  std::vector<std::byte> content() const;

 private:
  DType dtype_;
  size_t count_, begin_;
  std::vector<std::byte> bytes_;
};

/// Arrays for one call of an implementation: the host's own on the CPU, copies in the memory of a device elsewhere.
class Arrays {
 public:
  explicit Arrays(DeviceType type) : device_{type, 0} {}
  /// False where the machine has no such device.
  bool usable() const { return device_count(device_.type) > 0; }
  /// Where the kernel finds `bytes` bytes: on a device a copy that lies as the original does within 256 bytes.
  void* place(void* host, size_t bytes);
  template <class T>
  T* operator()(std::vector<T>& values) {
    return static_cast<T*>(place(values.data(), values.size() * sizeof(T)));
  }
  template <class T>
  T* operator()(T& value) {
    return static_cast<T*>(place(&value, sizeof(T)));
  }
  /// Calls f(stream) and copies all arrays back.
  template <class F>
  void run(F&& f) {
    f(backend(device_).default_stream());
    copy_back();
  }
  ~Arrays();

 private:
  struct Copy {
    void *host, *block, *data;
    size_t bytes;
  };
  void copy_back();
  Device device_;
  std::vector<Copy> copies_;
};

/// Names of all implementations that were asked, and of those that ran: "kernel/implementation".
std::set<std::string>& implementations_run();

/// "kernel/implementation", as implementations_run() holds it.
template <class Args>
std::string run_name(const kernels::Kernel<Args>& kernel, const kernels::Implementation<Args>& implementation) {
  return std::string(kernel.name()) + "/" + implementation.name;
}

/// Runs one implementation, where it can run: the buffers after it; none where it refuses.
template <class Args>
std::vector<GuardedBuffer> run_implementation(const kernels::Implementation<Args>& implementation,
                                              const Problem<Args>& problem, const std::vector<Values>& values,
                                              DType dtype, int shift) {
  std::vector<GuardedBuffer> buffers;
  Pointers pointers;
  Arrays arrays(implementation.device);
  buffers.reserve(problem.arrays.size());
  for (size_t a = 0; a < problem.arrays.size(); ++a) {
    const Array& array = problem.arrays[a];
    GuardedBuffer& buffer = buffers.emplace_back(dtype_of_kind(array.kind, dtype), values[a], shift);
    const auto place = [&] { return static_cast<std::byte*>(arrays(buffer.bytes())) + buffer.begin(); };
    pointers.push_back(array.null ? nullptr : array.alias >= 0 ? pointers[static_cast<size_t>(array.alias)] : place());
  }
  const Args args = problem.args(dtype, pointers);
  if (implementation.can_run(args, machine()) != nullptr) return {};
  arrays.run([&](Stream& stream) { implementation.run(args, stream); });
  return buffers;
}

/// Compares the outputs in `buffers` with the exact values; at most three complaints per array.
void compare(const std::string& what, const std::vector<Array>& arrays, const std::vector<GuardedBuffer>& buffers,
             const std::vector<Values>& inputs, const std::vector<Values>& exact, DType dtype);

template <class Args>
void check(const kernels::Kernel<Args>& kernel, const Problem<Args>& problem, DType dtype) {
  std::vector<Values> inputs, exact;
  for (const Array& array : problem.arrays) {
    inputs.push_back(array.values);
    for (double& value : inputs.back()) value = round_to(dtype_of_kind(array.kind, dtype), value);
  }
  const auto* reference = kernel.find("ref");
  ASSERT_NE(reference, nullptr) << kernel.name();
  auto truth = run_implementation(*reference, problem, inputs, DType::f64, 0);
  for (size_t a = 0; a < truth.size(); ++a) {
    const int alias = problem.arrays[a].alias;
    exact.push_back(truth[alias >= 0 ? static_cast<size_t>(alias) : a].read());
    if (problem.arrays[a].bound == nullptr) exact.back() = inputs[a];
  }

  for (const auto& implementation : kernel.implementations()) {
    if (device_count(implementation.device) == 0) continue;
    const std::string what =
        std::string(kernel.name()) + "/" + implementation.name + " " + name_of(dtype) + " " + problem.label;
    const bool plain_loops = std::string_view(implementation.name) == "ref";  // no threads, no vectors
    const bool on_cpu = implementation.device == DeviceType::cpu;
    for (const int shift : {0, 1}) {
      if (plain_loops && shift == 1) continue;
      std::vector<std::vector<std::byte>> first;
      for (const int threads : {1, 2, 4}) {
        if ((plain_loops && threads > 1) || (!on_cpu && threads > 2)) break;
        set_thread_count(threads);
        auto buffers = run_implementation(implementation, problem, inputs, dtype, shift);
        if (buffers.empty()) break;  // refused
        implementations_run().insert(run_name(kernel, implementation));
        if (threads == 1 || !problem.bits_without_threads) {
          compare(what, problem.arrays, buffers, inputs, exact, dtype);
          first.clear();
          for (const GuardedBuffer& buffer : buffers) first.push_back(buffer.content());
          if (threads > 1) buffers = run_implementation(implementation, problem, inputs, dtype, shift);
        }
        for (size_t a = 0; a < buffers.size(); ++a) {
          EXPECT_TRUE(first[a] == buffers[a].content())
              << what << ": " << problem.arrays[a].name << " has other bits when run with " << threads << " threads";
        }
        if (::testing::Test::HasFailure()) break;
      }
      set_thread_count(machine().threads);
      if (::testing::Test::HasFailure()) return;  // one bad case is enough to read
    }
  }
}

/// check() for f32, bf16, f16 and f64.
template <class Args>
void check_all(const kernels::Kernel<Args>& kernel, const Problem<Args>& problem) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16, DType::f64}) check(kernel, problem, dtype);
}

/// Numbers of elements around the widths of vectors, and of models.
inline const std::vector<int64_t> kCounts = {0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 384, 1537};

}  // namespace suanli::testing

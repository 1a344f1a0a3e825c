#include "kernels/harness.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/env.h"
#include "base/error.h"

namespace suanli::testing {

namespace {

constexpr size_t kGuard = 256;
constexpr size_t kBoundary = 256;  // what a device allocates on: no call depends on where the heap lies
constexpr std::byte kPattern{0xA5};

template <class F>
void visit(DType dtype, F&& f) {
  if (dtype == DType::i32) {
    f.template operator()<int32_t>();
  } else if (dtype == DType::i8) {
    f.template operator()<int8_t>();
  } else {
    dispatch_floating(dtype, f);
  }
}

/// Registers the kernels before, and after all tests demands that each implementation had its turn.
class KernelEnvironment : public ::testing::Environment {
  void SetUp() override {
    try {
      kernels::register_all();
    } catch (const UserError& error) {  // as main() of a program does; machine_test.cpp looks at it
      std::fprintf(stderr, "%s\n", error.what());
      std::exit(2);
    }
  }

  void TearDown() override {
    // A subset of the tests (--gtest_filter) covers a subset of the kernels; less than AMX lets some refuse.
    const bool whole = ::testing::GTEST_FLAG(filter) == "*";
    std::string idle;
    for (const auto& listed : kernels::listed_implementations()) {
      const std::string name = listed.kernel + "/" + listed.implementation;
      if (listed.device == "cuda" && device_count(DeviceType::cuda) == 0) continue;
      if (implementations_run().count(name) == 0) idle += " " + name;
    }
    if (whole && machine().isa == Isa::amx) {
      EXPECT_EQ(idle, "") << "implementations that no test has run on a machine that has everything";
    }
    std::printf("isa %s, %d CUDA devices: %zu implementations tested; refused here:%s\n", name_of(machine().isa),
                device_count(DeviceType::cuda), implementations_run().size(), idle.empty() ? " none" : idle.c_str());
  }
};
const auto* const kEnvironment = ::testing::AddGlobalTestEnvironment(new KernelEnvironment);

}  // namespace

std::set<std::string>& implementations_run() {
  static std::set<std::string> names;
  return names;
}

void* Arrays::place(void* host, size_t bytes) {
  if (device_.type == DeviceType::cpu) return host;
  const size_t room = bytes + kBoundary, offset = reinterpret_cast<uintptr_t>(host) % kBoundary;
  DeviceBackend& memory = backend(device_);
  auto* block = static_cast<std::byte*>(memory.allocate(static_cast<int64_t>(room)));
  copies_.push_back({host, block, block + offset, bytes});
  memory.copy(block + offset, device_, host, {}, static_cast<int64_t>(bytes), memory.default_stream());
  return block + offset;
}

void Arrays::copy_back() {
  DeviceBackend& memory = backend(device_);
  for (const Copy& copy : copies_) {
    memory.copy(copy.host, {}, copy.data, device_, static_cast<int64_t>(copy.bytes), memory.default_stream());
  }
}

Arrays::~Arrays() {
  for (const Copy& copy : copies_) backend(device_).release(copy.block, static_cast<int64_t>(copy.bytes + kBoundary));
}

GuardedBuffer::GuardedBuffer(DType dtype, const Values& values, int shift)
    : dtype_(dtype), count_(values.size()), begin_(0) {
  const auto size = static_cast<size_t>(size_of(dtype));
  bytes_.assign(count_ * size + 2 * kGuard + kBoundary, kPattern);
  const auto address = reinterpret_cast<uintptr_t>(bytes_.data()) + kGuard;
  begin_ = kGuard + (kBoundary - address % kBoundary) % kBoundary + static_cast<size_t>(shift) * size;
  visit(dtype, [&]<class T>() {
    for (size_t i = 0; i < count_; ++i) {
      const T value = static_cast<T>(values[i]);
      std::memcpy(bytes_.data() + begin_ + i * sizeof(T), &value, sizeof(T));
    }
  });
}

Values GuardedBuffer::read() const {
  Values out(count_);
  visit(dtype_, [&]<class T>() {
    for (size_t i = 0; i < count_; ++i) {
      T value;
      std::memcpy(&value, bytes_.data() + begin_ + i * sizeof(T), sizeof(T));
      if constexpr (std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>) {
        out[i] = static_cast<double>(static_cast<float>(value));
      } else {
        out[i] = static_cast<double>(value);
      }
    }
  });
  return out;
}

std::vector<std::byte> GuardedBuffer::content() const {
  const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(begin_);
  return {first, first + static_cast<std::ptrdiff_t>(count_) * size_of(dtype_)};
}

bool GuardedBuffer::guards_intact() const {
  const size_t end = begin_ + count_ * static_cast<size_t>(size_of(dtype_));
  const auto same = [](std::byte value) { return value == kPattern; };
  return std::all_of(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_), same) &&
         std::all_of(bytes_.begin() + static_cast<std::ptrdiff_t>(end), bytes_.end(), same);
}

namespace {

/// A bound is computed in f64 and has its own roundings; ref in f64 against itself needs a little of it too.
double bound_of(const std::vector<Array>& arrays, size_t a, size_t i, const std::vector<Values>& exact, DType dtype) {
  return arrays[a].bound(i, exact, dtype) + rounding(dtype_of_kind(arrays[a].kind, dtype), exact[a][i]);
}

/// FNV-1a, 64 bits.
uint64_t hash_of(const std::vector<std::byte>& bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte byte : bytes) hash = (hash ^ static_cast<uint64_t>(byte)) * 0x100000001b3;
  return hash;
}

/// True for the "kernel/implementation" that a complaint begins with, where that computes on a GPU.
bool is_on_cuda(const std::string& what) {
  static const std::set<std::string> names = [] {
    std::set<std::string> out;
    for (const auto& listed : kernels::listed_implementations()) {
      if (listed.device == "cuda") out.insert(listed.kernel + "/" + listed.implementation);
    }
    return out;
  }();
  return names.contains(what.substr(0, what.find(' ')));
}

/// Appends a line for each output of a CUDA kernel to the file SUANLI_TEST_RESULTS, where that is set: what, array, a
/// hash of its bits, its largest error in units of its bound. scripts/gpu-check.sh compares a GPU's with the
/// interpreter's.
void record_results(const std::string& what, const std::vector<Array>& arrays,
                    const std::vector<GuardedBuffer>& buffers, const std::vector<Values>& exact, DType dtype) {
  const auto name = environment("SUANLI_TEST_RESULTS");
  if (!name || !is_on_cuda(what)) return;
  std::ofstream file(*name, std::ios::app);
  for (size_t a = 0; a < arrays.size(); ++a) {
    if (arrays[a].bound == nullptr) continue;
    const GuardedBuffer& buffer = buffers[arrays[a].alias >= 0 ? static_cast<size_t>(arrays[a].alias) : a];
    const Values got = buffer.read();
    double largest = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const double error = std::abs(got[i] - exact[a][i]);
      if (error > 0) largest = std::max(largest, error / bound_of(arrays, a, i, exact, dtype));
    }
    file << what << '\t' << arrays[a].name << '\t' << std::hex << hash_of(buffer.content()) << '\t' << largest << '\n';
  }
  if (!file.flush()) ADD_FAILURE() << "cannot write to SUANLI_TEST_RESULTS=" << *name;
}

}  // namespace

void compare(const std::string& what, const std::vector<Array>& arrays, const std::vector<GuardedBuffer>& buffers,
             const std::vector<Values>& inputs, const std::vector<Values>& exact, DType dtype) {
  record_results(what, arrays, buffers, exact, dtype);
  std::set<size_t> written;
  for (const Array& array : arrays) {
    if (array.alias >= 0) written.insert(static_cast<size_t>(array.alias));
  }
  for (size_t a = 0; a < arrays.size(); ++a) {
    const Array& array = arrays[a];
    EXPECT_TRUE(buffers[a].guards_intact()) << what << ": wrote outside " << array.name;
    const Values got = buffers[array.alias >= 0 ? static_cast<size_t>(array.alias) : a].read();
    if (array.bound == nullptr) {
      if (written.count(a) != 0 || array.null) continue;
      const bool same = std::equal(got.begin(), got.end(), inputs[a].begin(), inputs[a].end(),
                                   [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
      EXPECT_TRUE(same) << what << ": changed its input " << array.name;
      continue;
    }
    size_t wrong = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const double bound = bound_of(arrays, a, i, exact, dtype);
      if (close(got[i], exact[a][i], bound) || wrong++ >= 3) continue;
      ADD_FAILURE() << what << ": " << array.name << "[" << i << "] of " << got.size() << " is " << got[i]
                    << ", expected " << exact[a][i] << " within " << bound << ", off by " << got[i] - exact[a][i];
    }
    EXPECT_EQ(wrong, 0U) << what << ": elements of " << array.name << " outside their bound";
  }
}

}  // namespace suanli::testing

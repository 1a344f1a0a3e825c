/// The functions of libcufile.so.0 that the product uses, on the stand-in driver. Direct reads alone, by the rules of a
/// file opened with O_DIRECT: whole pages, into memory that was registered. A breach is printed and counted.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>

extern "C" void* stand_in_host_pointer(unsigned long long address, size_t bytes, int will_write);

namespace {

struct Error {
  int code, of_driver;
};
struct Description {
  int type;
  union {
    int descriptor;
    void* unused;
  };
  const void* operations;
};
struct Input {
  int descriptor;
};

// Codes of cufile.h.
constexpr int kNotInitialised = 5001, kFileNotSupported = 5008, kNoDirectReads = 5020, kInvalid = 5022,
              kNotRegistered = 5024;
constexpr uint64_t kPage = 4096;

bool compat_allowed = true, driver_open = false;
std::string refused;  // what the tests have it refuse
std::map<uint64_t, uint64_t> buffers;
std::set<Input*> inputs;
uint64_t reads = 0, breaches = 0;

int breach(int code, const char* what) {
  std::fprintf(stderr, "[cufile] %s\n", what);
  ++breaches;
  return code;
}

}  // namespace

extern "C" {

/// For tests: "file" refuses every handle from now on, "read" fails, "short" ends each read a page early; "" is well.
void stand_in_cufile_refuse(const char* what) { refused = what; }
uint64_t stand_in_cufile_reads() { return reads; }
uint64_t stand_in_cufile_breaches() { return breaches; }
uint64_t stand_in_cufile_open_files() { return inputs.size(); }

Error cuFileGetVersion(int* version) { return *version = 1151, Error{}; }

Error cuFileSetParameterBool(int parameter, bool value) {
  if (parameter == 1) compat_allowed = value;
  return {};
}

/// SUANLI_STAND_IN_CUFILE=refuse: no driver.
Error cuFileDriverOpen() {
  const char* wanted = std::getenv("SUANLI_STAND_IN_CUFILE");
  driver_open = wanted == nullptr || std::strcmp(wanted, "refuse") != 0;
  return {driver_open ? 0 : kNotInitialised, 0};
}

Error cuFileHandleRegister(void** out, Description* description) {
  if (!driver_open || compat_allowed) return {breach(kNotInitialised, "used before it was opened for direct reads"), 0};
  if (refused == "file") return {kFileNotSupported, 0};
  const int flags = fcntl(description->descriptor, F_GETFL);
  if (description->type != 1 || flags < 0) return {breach(kInvalid, "a handle of no file"), 0};
  if ((flags & O_DIRECT) == 0) return {breach(kNoDirectReads, "a file that was not opened for direct reads"), 0};
  auto* input = new Input{description->descriptor};
  inputs.insert(input);
  return *out = input, Error{};
}

void cuFileHandleDeregister(void* handle) {
  auto* input = static_cast<Input*>(handle);
  if (inputs.erase(input) == 0) {
    breach(kInvalid, "a handle that is not registered is given back");
  } else {
    delete input;
  }
}

Error cuFileBufRegister(const void* memory, size_t bytes, int) {
  return buffers[reinterpret_cast<uint64_t>(memory)] = bytes, Error{};
}

ssize_t cuFileRead(void* handle, void* memory, size_t bytes, off_t offset, off_t within) {
  if (inputs.count(static_cast<Input*>(handle)) == 0) return -breach(kInvalid, "a read of a file without a handle");
  const auto buffer = buffers.find(reinterpret_cast<uint64_t>(memory));
  if (buffer == buffers.end() || within < 0 || static_cast<uint64_t>(within) + bytes > buffer->second) {
    return -breach(kNotRegistered, "a read into memory that was not registered");
  }
  if ((bytes | static_cast<uint64_t>(offset) | static_cast<uint64_t>(within)) % kPage != 0) {
    return -breach(kInvalid, "a read of less than whole pages");
  }
  if (refused == "read") return errno = EIO, -1;
  const std::unique_ptr<void, decltype(&std::free)> pages(std::aligned_alloc(kPage, bytes), std::free);
  const ssize_t there = pread(static_cast<Input*>(handle)->descriptor, pages.get(), bytes, offset);
  if (there < 0) return -1;
  const auto got = static_cast<size_t>(refused == "short" && there > 0 ? (there - 1) / 4096 * 4096 : there);
  ++reads;
  if (got > 0) {
    void* to = stand_in_host_pointer(buffer->first + static_cast<uint64_t>(within), got, 1);
    std::memcpy(to, pages.get(), got);
  }
  return static_cast<ssize_t>(got);
}

}  // extern "C"

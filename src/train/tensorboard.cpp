#include "train/tensorboard.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

static_assert(std::endian::native == std::endian::little, "event files are written as they lie in memory");

template <class T>
std::string raw(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

// Protobuf's wire format: a key of field number and kind, then the value.
enum Wire : uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out += static_cast<char>(value);
}

std::string key(uint64_t field, Wire wire) { return varint(field << 3 | wire); }
std::string bytes(uint64_t field, std::string_view value) {
  return concat(key(field, kBytes), varint(value.size()), value);
}

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// message Event { double wall_time = 1; int64 step = 2; oneof { string file_version = 3; Summary summary = 5; } }
std::string event(int64_t step, const std::string& what) {
  return key(1, kFixed64) + raw(wall_time()) + key(2, kVarint) + varint(static_cast<uint64_t>(step)) + what;
}

// message Summary { repeated Value value = 1; }
// message Value { string tag = 1; oneof { float simple_value = 2; TensorProto tensor = 8; } SummaryMetadata metadata =
// 9; }
std::string summary(std::string_view tag, const std::string& value) {
  return bytes(5, bytes(1, bytes(1, tag) + value));
}

uint32_t masked_crc(std::string_view content) { return std::rotr(crc32c(content), 15) + 0xa282ead8U; }

}  // namespace

uint32_t crc32c(std::string_view content) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> entries = {};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t remainder = i;
      for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ (0x82F63B78U & (0U - (remainder & 1)));
      entries[i] = remainder;
    }
    return entries;
  }();
  uint32_t crc = ~0U;
  for (const char c : content) crc = crc >> 8 ^ table[(crc ^ static_cast<uint8_t>(c)) & 0xff];
  return ~crc;
}

std::string tensorboard_tag(std::string_view name) {
  if (name.find('/') != std::string_view::npos) return std::string(name);
  for (const std::string_view split : {"eval", "test"}) {
    if (name.starts_with(split) && name.substr(split.size()).starts_with('_')) {
      return concat(split, '/', name.substr(split.size() + 1));
    }
  }
  return concat("train/", name);
}

EventFile::EventFile(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) throw EnvironmentError("tensorboard", concat("cannot create ", folder, ": ", failed.message()));
  char host[256] = "localhost";
  gethostname(host, sizeof host - 1);
  static std::atomic<int> count{0};
  char name[400];
  std::snprintf(name, sizeof name, "events.out.tfevents.%010lld.%s.%d.%d", static_cast<long long>(wall_time()), host,
                static_cast<int>(getpid()), count++);
  path_ = folder / name;
  out_.open(path_, std::ios::binary | std::ios::app);
  if (!out_) throw EnvironmentError("tensorboard", concat("cannot create ", path_, ": ", std::strerror(errno)));
  record(event(0, bytes(3, "brain.Event:2")));
  flush();
}

void EventFile::scalar(std::string_view tag, double value, int64_t step) {
  record(event(step, summary(tag, key(2, kFixed32) + raw(static_cast<float>(value)))));
}

void EventFile::text(std::string_view tag, std::string_view content, int64_t step) {
  // message TensorProto { DataType dtype = 1; TensorShapeProto tensor_shape = 2; repeated bytes string_val = 8; }
  constexpr uint64_t kString = 7;
  const std::string shape = bytes(2, bytes(2, key(1, kVarint) + varint(1)));  // one dimension of size 1
  const std::string tensor = bytes(8, key(1, kVarint) + varint(kString) + shape + bytes(8, content));
  // message SummaryMetadata { PluginData plugin_data = 1; }  message PluginData { string plugin_name = 1; }
  record(event(step, summary(concat(tag, "/text_summary"), tensor + bytes(9, bytes(1, bytes(1, "text"))))));
}

void EventFile::record(std::string_view message) {
  const std::string length = raw(static_cast<uint64_t>(message.size()));
  out_ << length << raw(masked_crc(length)) << message << raw(masked_crc(message));
}

void EventFile::flush() {
  if (!out_.flush()) throw EnvironmentError("tensorboard", concat("cannot write ", path_, ": ", std::strerror(errno)));
}

}  // namespace suanli

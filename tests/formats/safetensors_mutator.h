/// Random damage to safetensors files that keeps enough of their form to reach the inside of a reader.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "formats/safetensors_cases.h"

namespace suanli {

/// Changes a sound file as a hostile author or a bad disk would.
class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_({seed, 0, 0}) {
    for (SafetensorsCase& item : safetensors_cases()) {
      if (item.sound) sound_.push_back(std::move(item.bytes));
    }
  }

  std::string next() {
    std::string bytes = pick(sound_);
    for (uint64_t count = 1 + random_.below(4); count > 0; --count) mutate(bytes);
    if (random_.below(2) == 0) repair_length(bytes);
    return bytes;
  }

 private:
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[random_.below(from.size())];
  }
  size_t place(const std::string& bytes) { return random_.below(bytes.size() + 1); }

  void mutate(std::string& bytes) {
    static const std::vector<std::string> tokens = {"{",
                                                    "}",
                                                    "[",
                                                    "]",
                                                    ",",
                                                    ":",
                                                    "\"",
                                                    "\\",
                                                    " ",
                                                    "\n",
                                                    std::string(1, '\0'),
                                                    "\\u0000",
                                                    "\\ud800",
                                                    "\xFF",
                                                    "\xC0\x80",
                                                    "\"__metadata__\"",
                                                    "\"__metadata__\":{\"a\":\"b\"},",
                                                    "\"dtype\"",
                                                    "\"shape\"",
                                                    "\"data_offsets\"",
                                                    "\"F32\"",
                                                    "\"BOOL\"",
                                                    "\"F4\"",
                                                    "[0,0]",
                                                    "[0,4]",
                                                    "null",
                                                    "true",
                                                    "-1",
                                                    "1e1",
                                                    "0.5",
                                                    "{}",
                                                    "[]",
                                                    tensor_entry("a", "U8", "0", "0,0") + ',',
                                                    tensor_entry("z", "U8", "1", "0,1") + ','};
    static const std::vector<std::string> numbers = {"0",
                                                     "1",
                                                     "2",
                                                     "4",
                                                     "8",
                                                     "127",
                                                     "255",
                                                     "65536",
                                                     "2147483647",
                                                     "2147483648",
                                                     "4294967295",
                                                     "4294967296",
                                                     "9007199254740993",
                                                     "4611686018427387904",
                                                     "9223372036854775807",
                                                     "9223372036854775808",
                                                     "18446744073709551615",
                                                     "18446744073709551616"};
    if (bytes.empty()) return;
    const size_t at = random_.below(bytes.size()), length = 1 + random_.below(std::min<size_t>(bytes.size() - at, 16));
    switch (random_.below(9)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random_.below(8));
        break;
      case 1:
        bytes[at] = static_cast<char>(random_.below(256));
        break;
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(place(bytes), bytes.substr(at, length));
        break;
      case 4:
        bytes.insert(place(bytes), pick(tokens));
        break;
      case 5:
        replace_number(bytes, at, pick(numbers));
        break;
      case 6:
        bytes.resize(at);
        break;
      case 7:
        bytes.replace(at, std::string::npos, pick(sound_).substr(0, bytes.size()));
        break;
      default: {  // the length before the header
        for (size_t i = 0; i < std::min<size_t>(8, bytes.size()); ++i) {
          if (random_.below(3) == 0) bytes[i] = static_cast<char>(random_.below(256));
        }
      }
    }
  }
  void replace_number(std::string& bytes, size_t from, const std::string& number) {
    const size_t begin = bytes.find_first_of("0123456789", std::max<size_t>(from, 8));
    if (begin == std::string::npos) return;
    const size_t end = std::min(bytes.find_first_not_of("0123456789", begin), bytes.size());
    bytes.replace(begin, end - begin, number);
  }
  /// Sets the length to where the last brace stands, so that more mutations reach the header's inside.
  static void repair_length(std::string& bytes) {
    const size_t brace = bytes.rfind('}');
    if (brace == std::string::npos || brace < 8) return;
    for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>((brace - 7) >> 8 * i & 0xFF);
  }

  RandomGenerator random_;
  std::vector<std::string> sound_;
};

}  // namespace suanli

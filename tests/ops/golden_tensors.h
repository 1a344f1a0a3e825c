/// Reads a safetensors file of f64 and i32 tensors, as tests/golden/ops writes it. The tests of ops lie below formats/
/// and may not use its reader, which trusts nothing; this one trusts a file of our own.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace suanli::testing {

class GoldenTensors {
 public:
  explicit GoldenTensors(const std::string& file) : content_(read_file(file)) {
    uint64_t header = 0;
    std::memcpy(&header, content_.data(), sizeof header);
    header_ = parse_json(std::string_view(content_).substr(8, header), file);
    data_ = content_.data() + 8 + header;
  }

  bool has(const std::string& name) const { return header_.contains(name); }

  template <class T>
  std::vector<T> values(const std::string& name, const char* dtype) const {
    const Json& entry = header_.at(name);
    if (entry.at("dtype") != dtype) throw UserError("golden", name + " is not " + dtype);
    const auto begin = entry.at("data_offsets")[0].get<size_t>(), end = entry.at("data_offsets")[1].get<size_t>();
    std::vector<T> out((end - begin) / sizeof(T));
    std::memcpy(out.data(), data_ + begin, end - begin);
    return out;
  }
  std::vector<double> doubles(const std::string& name) const { return values<double>(name, "F64"); }
  std::vector<int32_t> integers(const std::string& name) const { return values<int32_t>(name, "I32"); }
  std::vector<int64_t> shape(const std::string& name) const { return header_.at(name).at("shape"); }

 private:
  std::string content_;
  Json header_;
  const char* data_;
};

}  // namespace suanli::testing

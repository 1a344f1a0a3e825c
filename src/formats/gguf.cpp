#include "formats/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <vector>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"

namespace suanli {

struct GgufFile::Content {
  std::string where;
  std::optional<MappedFile> map;
  std::span<const std::byte> data;
  Json metadata = Json::object();
  std::map<std::string, GgufEntry, std::less<>> entries;
};

namespace {

/// A cursor that never leaves the file.
class Reader {
 public:
  Reader(std::span<const std::byte> whole, std::string_view where) : whole_(whole), where_(where) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw UserError(where_, concat(what, " at byte ", at_, "; the file is damaged or no GGUF file"));
  }
  uint64_t at() const { return at_; }
  uint64_t left() const { return whole_.size() - at_; }

  template <class T>
  T number() {
    if (left() < sizeof(T)) fail(concat("expected ", sizeof(T), " more bytes, got the end"));
    T value;
    std::memcpy(&value, whole_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  /// Length and bytes. `name`: a key or tensor name, which holds something and no NUL.
  std::string string(bool name) {
    const auto length = number<uint64_t>();
    if (length > left()) fail(concat("expected a string within the file, got one of ", length, " bytes"));
    std::string text(reinterpret_cast<const char*>(whole_.data() + at_), static_cast<size_t>(length));
    if (name &&
        (text.empty() || text.find('\0') != std::string::npos || find_invalid_utf8(text) != std::string_view::npos)) {
      fail("expected a name in UTF-8 without NUL, got another");
    }
    at_ += length;
    return text;
  }

 private:
  std::span<const std::byte> whole_;
  std::string_view where_;
  uint64_t at_ = 0;
};

/// One metadata value; `values` counts the elements of all arrays so far.
Json read_value(Reader& in, uint32_t type, int depth, uint64_t& values) {
  switch (type) {
    case 0:
      return in.number<uint8_t>();
    case 1:
      return in.number<int8_t>();
    case 2:
      return in.number<uint16_t>();
    case 3:
      return in.number<int16_t>();
    case 4:
      return in.number<uint32_t>();
    case 5:
      return in.number<int32_t>();
    case 6:
      return in.number<float>();
    case 7: {
      const auto value = in.number<uint8_t>();
      if (value > 1) in.fail(concat("expected a boolean 0 or 1, got ", int{value}));
      return value == 1;
    }
    case 8:
      return in.string(false);
    case 9: {
      const auto of = in.number<uint32_t>();
      const auto count = in.number<uint64_t>();
      if (depth == kGgufMaxDepth) in.fail(concat("expected at most ", kGgufMaxDepth, " arrays within arrays"));
      if (count > in.left() || count > kGgufMaxValues - values) {
        in.fail(concat("expected an array within the file and ", kGgufMaxValues, " values in all, got one of ", count));
      }
      values += count;
      Json array = Json::array();
      for (uint64_t i = 0; i < count; ++i) array.push_back(read_value(in, of, depth + 1, values));
      return array;
    }
    case 10:
      return in.number<uint64_t>();
    case 11:
      return in.number<int64_t>();
    case 12:
      return in.number<double>();
    default:
      in.fail(concat("expected a value type of 0 to 12, got ", type));
  }
}

GgufEntry read_entry(Reader& in, const std::string& name) {
  const auto rank = in.number<uint32_t>();
  if (rank < 1 || rank > 4) in.fail(concat("expected 1 to 4 dimensions of tensor ", name, ", got ", rank));
  std::vector<int64_t> sizes(rank);
  uint64_t elements = 1;
  for (auto size = sizes.rbegin(); size != sizes.rend(); ++size) {
    const auto value = in.number<uint64_t>();
    if (value == 0 || value > (uint64_t{1} << 48) / elements) {
      in.fail(concat("expected 1 to 2^48 elements of tensor ", name, ", got a dimension of ", value));
    }
    elements *= value;
    *size = static_cast<int64_t>(value);
  }
  const auto id = in.number<uint32_t>();
  GgufEntry entry = {Shape(std::span<const int64_t>(sizes)), gguf_type(id), in.number<uint64_t>(), 0};
  if (entry.type == nullptr) {
    in.fail(concat("expected tensor ", name, " as F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K or Q6_K, got type ", id));
  }
  if (sizes.back() % entry.type->block != 0) {
    in.fail(concat("expected rows of tensor ", name, " in blocks of ", entry.type->block, ", got ", sizes.back()));
  }
  entry.bytes = elements / static_cast<uint64_t>(entry.type->block) * static_cast<uint64_t>(entry.type->bytes);
  return entry;
}

/// Every tensor lies aligned within `bytes` of data, and no two overlap.
void check_places(const std::map<std::string, GgufEntry, std::less<>>& entries, uint64_t bytes, uint64_t alignment,
                  std::string_view where) {
  std::vector<const std::pair<const std::string, GgufEntry>*> sorted;
  for (const auto& entry : entries) sorted.push_back(&entry);
  std::ranges::sort(sorted, {}, [](const auto* entry) { return entry->second.begin; });
  uint64_t end = 0;
  for (const auto* named : sorted) {
    const GgufEntry& entry = named->second;
    if (entry.begin % alignment != 0 || entry.begin < end || entry.bytes > bytes || entry.begin > bytes - entry.bytes) {
      throw UserError(where, concat("expected tensor ", named->first, " on a multiple of ", alignment,
                                    " bytes, behind the one before and within ", bytes, " bytes of data, got ",
                                    entry.bytes, " bytes at ", entry.begin, "; the file is cut short or damaged"));
    }
    end = entry.begin + entry.bytes;
  }
}

}  // namespace

GgufFile GgufFile::open(const std::filesystem::path& file) {
  auto content = std::make_shared<Content>();
  content->map.emplace(file);
  return read(content, content->map->bytes(), file.string());
}

GgufFile GgufFile::parse(std::span<const std::byte> whole, std::string_view where) {
  return read(std::make_shared<Content>(), whole, where);
}

GgufFile GgufFile::read(const std::shared_ptr<Content>& content, std::span<const std::byte> whole,
                        std::string_view where) {
  content->where = where;
  Reader in(whole, where);
  if (in.number<uint32_t>() != 0x46554747) in.fail("expected the letters GGUF, got others");
  const auto version = in.number<uint32_t>();
  if (version != 2 && version != 3) {
    throw UserError(where, concat("expected a little-endian GGUF file of version 2 or 3, got version ", version,
                                  "; convert it with a newer tool"));
  }
  const auto tensors = in.number<uint64_t>(), keys = in.number<uint64_t>();
  if (tensors > kGgufMaxTensors || keys > kGgufMaxKeys) {
    in.fail(concat("expected at most ", kGgufMaxTensors, " tensors and ", kGgufMaxKeys, " keys, got ", tensors, " and ",
                   keys));
  }
  uint64_t values = 0;
  for (uint64_t i = 0; i < keys; ++i) {
    const std::string key = in.string(true);
    if (content->metadata.contains(key)) in.fail(concat("expected each key once, got ", key, " twice"));
    const auto type = in.number<uint32_t>();
    content->metadata[key] = read_value(in, type, 0, values);
  }
  for (uint64_t i = 0; i < tensors; ++i) {
    const std::string name = in.string(true);
    if (!content->entries.emplace(name, read_entry(in, name)).second) {
      in.fail(concat("expected each tensor once, got ", name, " twice"));
    }
  }
  const auto given = json_get_or<int64_t>(content->metadata, "general.alignment", 32, where);
  const auto alignment = static_cast<uint64_t>(given);
  if (!std::has_single_bit(alignment) || alignment < 8 || alignment > 65536) {
    throw UserError(where, concat("expected general.alignment as a power of two of 8 to 65536, got ", given));
  }
  const uint64_t begin = (in.at() + alignment - 1) / alignment * alignment;
  content->data = begin < whole.size() ? whole.subspan(begin) : std::span<const std::byte>();
  check_places(content->entries, content->data.size(), alignment, where);
  return GgufFile(content);
}

const Json& GgufFile::metadata() const { return content_->metadata; }
const std::map<std::string, GgufEntry, std::less<>>& GgufFile::entries() const { return content_->entries; }
const std::string& GgufFile::where() const { return content_->where; }

Tensor GgufFile::tensor(std::string_view name) const {
  const auto found = content_->entries.find(name);
  if (found == content_->entries.end()) throw UserError(content_->where, concat("holds no tensor ", name));
  const GgufEntry& entry = found->second;
  Tensor out = Tensor::empty(entry.shape, DType::f32);
  entry.type->expand(content_->data.data() + entry.begin, entry.shape.elements() / entry.type->block,
                     out.host<float>().data());
  return out;
}

}  // namespace suanli

#include "formats/safetensors.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "formats/json_scanner.h"
#include "formats/safetensors_header.h"

namespace suanli {

struct SafetensorsFile::Content {
  /// An entry's place under the hash of its name; sorted, so that a lookup is a binary search.
  struct Place {
    size_t hash;
    uint32_t entry;
  };

  std::string where;
  std::optional<MappedFile> map;
  std::span<const std::byte> data;
  SafetensorsHeader header;
  std::vector<Place> index;

  std::string_view name_of(Place place) const { return header.entries[place.entry].name; }
};

namespace {

uint64_t little_endian(std::span<const std::byte, 8> bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<uint64_t>(bytes[static_cast<size_t>(i)]);
  return value;
}

/// The tensors, in the order of their bytes, must follow one another without hole or overlap and fill `bytes`.
void check_coverage(std::span<const SafetensorsEntry> entries, uint64_t bytes, std::string_view where) {
  struct Range {
    uint64_t begin, end;
    uint32_t entry;
    auto operator<=>(const Range&) const = default;
  };
  std::vector<Range> ranges;
  ranges.reserve(entries.size());
  for (const SafetensorsEntry& entry : entries) {
    ranges.push_back({entry.begin, entry.end, static_cast<uint32_t>(ranges.size())});
  }
  if (!std::ranges::is_sorted(ranges)) std::ranges::sort(ranges);
  uint64_t covered = 0;
  for (const Range& range : ranges) {
    if (range.begin != covered) {
      throw UserError(where, concat("tensor ", shown_name(entries[range.entry].name), " begins at byte ", range.begin,
                                    " of the data where ", covered, " was expected: ",
                                    range.begin < covered ? "two tensors overlap" : "bytes belong to no tensor",
                                    "; the file is damaged or hostile"));
    }
    covered = range.end;
  }
  if (covered != bytes) {
    throw UserError(where, concat("expected ", covered, " bytes of data after the header, the file has ", bytes,
                                  covered > bytes ? "; it is cut short" : "; bytes were added at its end"));
  }
}

}  // namespace

Shape SafetensorsEntry::shape() const {
  std::array<int64_t, kSafetensorsMaxRank> found = {};
  size_t rank = 0;
  for (const char *at = sizes.data(), *stop = at + sizes.size(); at != stop;) {
    if (*at < '0' || *at > '9') {
      ++at;  // a comma or space: the header was checked
      continue;
    }
    at = std::from_chars(at, stop, found[rank++]).ptr;  // the header's check left less than 2^62
  }
  if (rank > Shape::kMaxRank) {
    throw UserError(shown_name(name), concat("expected at most ", Shape::kMaxRank, " dimensions, its shape is [", sizes,
                                             "]; reshape the tensor before saving it"));
  }
  return Shape(std::span(found).first(rank));
}

DType SafetensorsEntry::dtype() const {
  if (!type->dtype) {
    throw UserError(shown_name(name), concat("expected one of F32 BF16 F16 F64 I64 I32 I8 U8 BOOL, its dtype is ",
                                             type->name, "; convert the tensor before saving it"));
  }
  return *type->dtype;
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& file) {
  auto content = std::make_shared<Content>();
  content->map.emplace(file);
  return read(content, content->map->bytes(), file.string());
}

SafetensorsFile SafetensorsFile::parse(std::span<const std::byte> whole, std::string_view where) {
  return read(std::make_shared<Content>(), whole, where);
}

SafetensorsFile SafetensorsFile::read(const std::shared_ptr<Content>& content, std::span<const std::byte> whole,
                                      std::string_view where) {
  if (whole.size() < 8) {
    throw UserError(where, concat("expected a safetensors file of at least 10 bytes, it has ", whole.size()));
  }
  const uint64_t length = little_endian(whole.first<8>());
  if (length > kSafetensorsMaxHeader || length > whole.size() - 8) {
    throw UserError(where, concat("the header claims ", length, " bytes; allowed are ", kSafetensorsMaxHeader,
                                  " and the file has ", whole.size() - 8, " after its first 8"));
  }
  content->where = where;
  content->data = whole.subspan(8 + length);
  content->header = parse_safetensors_header({reinterpret_cast<const char*>(whole.data()) + 8, length}, where);
  const std::vector<SafetensorsEntry>& entries = content->header.entries;
  check_coverage(entries, content->data.size(), where);

  content->index.reserve(entries.size());
  for (const SafetensorsEntry& entry : entries) {
    const auto place = static_cast<uint32_t>(content->index.size());
    content->index.push_back({std::hash<std::string_view>()(entry.name), place});
  }
  std::ranges::sort(content->index, [&](const Content::Place& a, const Content::Place& b) {
    return a.hash != b.hash ? a.hash < b.hash : content->name_of(a) < content->name_of(b);
  });
  const auto twice = std::ranges::adjacent_find(content->index, [&](const Content::Place& a, const Content::Place& b) {
    return a.hash == b.hash && content->name_of(a) == content->name_of(b);
  });
  if (twice != content->index.end()) {
    throw UserError(where,
                    concat("tensor ", shown_name(content->name_of(*twice)), " is given twice; the file is hostile"));
  }
  return SafetensorsFile(content);
}

std::span<const SafetensorsEntry> SafetensorsFile::entries() const { return content_->header.entries; }

const SafetensorsEntry* SafetensorsFile::find(std::string_view name) const {
  const size_t hash = std::hash<std::string_view>()(name);
  auto at = std::ranges::lower_bound(content_->index, hash, {}, &Content::Place::hash);
  for (; at != content_->index.end() && at->hash == hash; ++at) {
    if (content_->name_of(*at) == name) return &content_->header.entries[at->entry];
  }
  return nullptr;
}

Tensor SafetensorsFile::tensor(std::string_view name) const {
  const SafetensorsEntry* entry = find(name);
  if (entry == nullptr) throw UserError(content_->where, concat("holds no tensor ", shown_name(name)));
  return tensor(*entry);
}

Tensor SafetensorsFile::tensor(const SafetensorsEntry& entry) const {
  const DType dtype = entry.dtype();
  const Shape shape = entry.shape();
  const std::byte* bytes = content_->data.data() + entry.begin;
  if (dtype == DType::boolean &&
      std::any_of(bytes, bytes + (entry.end - entry.begin), [](std::byte value) { return value > std::byte{1}; })) {
    throw UserError(content_->where, concat("tensor ", shown_name(entry.name), " is BOOL but holds a byte over 1"));
  }
  if (reinterpret_cast<uintptr_t>(bytes) % static_cast<uintptr_t>(size_of(dtype)) == 0) {
    return Tensor::borrow(bytes, shape, dtype, content_);
  }
  Tensor copy = Tensor::empty(shape, dtype);
  std::memcpy(copy.data(), bytes, entry.end - entry.begin);
  return copy;
}

const std::map<std::string, std::string>& SafetensorsFile::metadata() const { return content_->header.metadata; }

uint64_t SafetensorsFile::data_bytes() const { return content_->data.size(); }

}  // namespace suanli

#include "data/encoded_cache.h"

#include <cstdio>
#include <cstring>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "data/hash.h"

namespace suanli {
namespace {

constexpr std::string_view kMagic = "suanli rows 1\n";

template <class T>
void append(std::string* out, T value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Count and elements.
template <class T>
void append(std::string* out, const std::vector<T>& values) {
  append(out, static_cast<uint64_t>(values.size()));
  out->append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

/// Takes what append() wrote off the front; false where it is not there.
template <class T>
bool take(std::string_view* in, T* value) {
  if (in->size() < sizeof(T)) return false;
  std::memcpy(value, in->data(), sizeof(T));
  in->remove_prefix(sizeof(T));
  return true;
}
template <class T>
bool take(std::string_view* in, std::vector<T>* values) {
  uint64_t count = 0;
  if (!take(in, &count) || count > in->size() / sizeof(T)) return false;
  values->resize(count);
  if (count > 0) std::memcpy(values->data(), in->data(), count * sizeof(T));
  in->remove_prefix(count * sizeof(T));
  return true;
}

bool take(std::string_view* in, EncodedExample* e) {
  return take(in, &e->ids) && take(in, &e->types) && take(in, &e->features) && take(in, &e->categories) &&
         take(in, &e->labels) && take(in, &e->targets) && take(in, &e->special) && take(in, &e->row);
}

}  // namespace

void CacheKey::add(std::string_view piece) {
  a_ = hash_bytes(piece, a_);  // takes the length of the piece too
  b_ = hash_bytes(piece, b_ ^ a_);
}

std::string CacheKey::text() const {
  char digits[33];
  std::snprintf(digits, sizeof digits, "%016llx%016llx", static_cast<unsigned long long>(a_),
                static_cast<unsigned long long>(b_));
  return digits;
}

EncodedCache::EncodedCache(const std::filesystem::path& folder, const CacheKey& key)
    : key_(key.text()), file_(folder / (key_ + ".rows")) {}

std::optional<std::vector<EncodedExample>> EncodedCache::read() const {
  if (!std::filesystem::exists(file_)) return std::nullopt;
  const std::string content = read_file(file_, uint64_t{1} << 40);
  const auto damaged = [&]() -> std::optional<std::vector<EncodedExample>> {
    log_warning(concat(file_.string(), " is damaged; the rows are encoded anew"));
    return std::nullopt;
  };
  std::string_view in = content;
  uint64_t hash = 0, count = 0;
  if (in.size() < sizeof hash) return damaged();
  std::memcpy(&hash, in.data() + in.size() - sizeof hash, sizeof hash);
  in.remove_suffix(sizeof hash);
  if (hash_bytes(in) != hash || !in.starts_with(kMagic)) return damaged();
  in.remove_prefix(kMagic.size());
  if (!in.starts_with(key_)) return damaged();
  in.remove_prefix(key_.size());
  if (!take(&in, &count)) return damaged();
  std::vector<EncodedExample> rows;
  for (uint64_t i = 0; i < count; ++i) {
    if (!take(&in, &rows.emplace_back())) return damaged();
  }
  if (!in.empty()) return damaged();
  return rows;
}

void EncodedCache::write(std::span<const EncodedExample> rows) const {
  std::error_code error;
  std::filesystem::create_directories(file_.parent_path(), error);
  if (error) throw EnvironmentError(file_.parent_path().string(), concat("cannot be made: ", error.message()));
  std::string content = concat(kMagic, key_);
  append(&content, static_cast<uint64_t>(rows.size()));
  for (const EncodedExample& e : rows) {
    append(&content, e.ids);
    append(&content, e.types);
    append(&content, e.features);
    append(&content, e.categories);
    append(&content, e.labels);
    append(&content, e.targets);
    append(&content, e.special);
    append(&content, e.row);
  }
  append(&content, hash_bytes(content));
  write_file_atomically(file_, content);
}

}  // namespace suanli

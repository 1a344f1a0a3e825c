#include "data/duplicates.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <numeric>

#include "base/concat.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"
#include "data/content.h"
#include "data/hash.h"
#include "data/random_sites.h"

namespace suanli {
namespace {

constexpr size_t kComparedRows = 8;

/// h -> (a h + b) / 2^32 for odd a: one hash function of the 32-bit minimum for each entry (Dietzfelbinger 1996).
struct HashFunctions {
  std::array<uint64_t, MinHash::kEntries> a, b;
  HashFunctions() {
    for (size_t k = 0; k < a.size(); ++k) {
      const auto words = philox({0, 0, kMinHashSite}, k);
      a[k] = (uint64_t{words[0]} << 32 | words[1]) | 1;
      b[k] = uint64_t{words[2]} << 32 | words[3];
    }
  }
};

[[noreturn]] void temporary_file_failed() {
  throw EnvironmentError("near duplicates", concat("the temporary file cannot be used: ", std::strerror(errno),
                                                   "; it takes 128 bytes a row"));
}

}  // namespace

std::vector<uint32_t> first_with_same_hash(const std::vector<uint64_t>& hashes) {
  SUANLI_ASSERT(hashes.size() < kNoRow);
  std::vector<uint32_t> order(hashes.size()), first(hashes.size(), kNoRow);
  std::iota(order.begin(), order.end(), uint32_t{0});
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return hashes[a] != hashes[b] ? hashes[a] < hashes[b] : a < b; });
  for (size_t i = 1, head = 0; i < order.size(); ++i) {
    if (hashes[order[i]] != hashes[order[head]]) {
      head = i;
    } else if (hashes[order[i]] != 0) {
      first[order[i]] = order[head];
    }
  }
  return first;
}

MinHash min_hash(std::string_view normalized, int64_t words) {
  static const HashFunctions functions;
  const std::vector<std::string_view> all = words_of(normalized);
  const size_t length = std::min(static_cast<size_t>(words), all.size());
  std::array<uint32_t, MinHash::kEntries> least;
  least.fill(0xFFFFFFFF);
  for (size_t i = 0; i + length <= all.size(); ++i) {
    uint64_t shingle = length;
    for (size_t j = i; j < i + length; ++j) shingle = hash_bytes(all[j], shingle);
    for (size_t k = 0; k < least.size(); ++k) {
      least[k] = std::min(least[k], static_cast<uint32_t>((functions.a[k] * shingle + functions.b[k]) >> 32));
    }
    if (all.empty()) break;
  }
  MinHash signature;
  for (size_t k = 0; k < least.size(); ++k) signature.entries[k] = static_cast<uint8_t>(mix_bits(least[k]));
  return signature;
}

double jaccard(const MinHash& a, const MinHash& b) {
  int equal = 0;
  for (size_t k = 0; k < MinHash::kEntries; ++k) equal += a.entries[k] == b.entries[k];
  constexpr double kChance = 1.0 / 256;
  return std::max(0.0, (static_cast<double>(equal) / MinHash::kEntries - kChance) / (1 - kChance));
}

NearDuplicates::NearDuplicates(double threshold) : threshold_(threshold), file_(std::tmpfile()) {
  if (!(threshold >= 0.5 && threshold <= 1)) {
    throw UserError("near_duplicate_threshold", concat("expected a Jaccard similarity from 0.5 to 1, got ", threshold));
  }
  if (!file_) temporary_file_failed();
}

void NearDuplicates::add(const MinHash* signature) {
  present_.push_back(signature != nullptr);
  const MinHash nothing = {};
  if (std::fwrite(signature != nullptr ? signature : &nothing, sizeof(MinHash), 1, file_.get()) != 1) {
    temporary_file_failed();
  }
}

MinHash NearDuplicates::read(uint32_t row) const {
  MinHash signature;
  if (pread(fileno(file_.get()), &signature, sizeof signature, static_cast<off_t>(row) * sizeof signature) !=
      static_cast<ssize_t>(sizeof signature)) {
    temporary_file_failed();
  }
  return signature;
}

/// `keys`: for each row the upper 32 bits of its band's hash above its number.
void NearDuplicates::join_band(std::vector<uint64_t>* keys, std::vector<uint32_t>* first) const {
  std::sort(keys->begin(), keys->end());
  std::vector<std::pair<uint32_t, MinHash>> kept;
  for (size_t i = 0, end = 0; i < keys->size(); i = end) {
    for (end = i + 1; end < keys->size() && (*keys)[end] >> 32 == (*keys)[i] >> 32;) ++end;
    if (end == i + 1) continue;
    kept.clear();
    for (size_t j = i; j < end; ++j) {
      const auto row = static_cast<uint32_t>((*keys)[j]);
      if ((*first)[row] != kNoRow) continue;
      const MinHash signature = read(row);
      const auto same = std::find_if(kept.begin(), kept.end(),
                                     [&](const auto& other) { return jaccard(other.second, signature) >= threshold_; });
      if (same != kept.end()) {
        (*first)[row] = same->first;
      } else if (kept.size() < kComparedRows) {
        kept.emplace_back(row, signature);
      }
    }
  }
}

std::vector<uint32_t> NearDuplicates::find() {
  if (std::fflush(file_.get()) != 0) temporary_file_failed();
  const size_t width = threshold_ >= 0.75 ? 8 : 4, rows = present_.size();
  std::vector<uint32_t> first(rows, kNoRow);
  std::vector<MinHash> block(size_t{1} << 13);
  std::vector<uint64_t> keys;
  keys.reserve(rows);
  for (size_t at = 0; at < MinHash::kEntries; at += width) {
    keys.clear();
    if (std::fseek(file_.get(), 0, SEEK_SET) != 0) temporary_file_failed();
    for (size_t row = 0; row < rows;) {
      const size_t count = std::min(block.size(), rows - row);
      if (std::fread(block.data(), sizeof(MinHash), count, file_.get()) != count) temporary_file_failed();
      for (size_t i = 0; i < count; ++i, ++row) {
        if (!present_[row] || first[row] != kNoRow) continue;
        const std::string_view band(reinterpret_cast<const char*>(block[i].entries) + at, width);
        keys.push_back((hash_bytes(band) & 0xFFFFFFFF00000000) | row);
      }
    }
    join_band(&keys, &first);
  }
  return first;
}

}  // namespace suanli

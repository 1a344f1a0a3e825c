// What comes out of the cache is what went in, under the same key and undamaged, or nothing.
#include "data/encoded_cache.h"

#include <gtest/gtest.h>

#include "data/data_files.h"

namespace suanli {
namespace {

CacheKey key_of(const std::vector<std::string>& pieces) {
  CacheKey key;
  for (const std::string& piece : pieces) key.add(piece);
  return key;
}

std::vector<EncodedExample> some_rows() {
  std::vector<EncodedExample> rows(3);
  rows[0].ids = {1, 2, 3};
  rows[0].types = {0, 0, 1};
  rows[0].special = {1, 0, 1};
  rows[0].targets = {1};
  rows[1].ids = {7};
  rows[1].types = {0};
  rows[1].labels = {-100};
  rows[2].features = {0.5F, -2};
  rows[2].categories = {4};
  for (size_t i = 0; i < rows.size(); ++i) rows[i].row = static_cast<int64_t>(i);
  return rows;
}

TEST(EncodedCache, GivesBackWhatItWasGiven) {
  const DataFolder folder;
  const EncodedCache cache(folder / "cache", key_of({"a"}));
  EXPECT_FALSE(cache.read().has_value());
  cache.write(some_rows());
  const auto rows = cache.read();
  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(rows->size(), 3U);
  const std::vector<EncodedExample> wanted = some_rows();
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*rows)[i].ids, wanted[i].ids);
    EXPECT_EQ((*rows)[i].types, wanted[i].types);
    EXPECT_EQ((*rows)[i].features, wanted[i].features);
    EXPECT_EQ((*rows)[i].categories, wanted[i].categories);
    EXPECT_EQ((*rows)[i].labels, wanted[i].labels);
    EXPECT_EQ((*rows)[i].targets, wanted[i].targets);
    EXPECT_EQ((*rows)[i].special, wanted[i].special);
    EXPECT_EQ((*rows)[i].row, wanted[i].row);
  }
}

TEST(EncodedCache, AnotherKeyIsAnotherFileAndPiecesDoNotRunTogether) {
  const DataFolder folder;
  EncodedCache(folder / "cache", key_of({"ab", "c"})).write(some_rows());
  for (const auto& other : {key_of({"a", "bc"}), key_of({"abc"}), key_of({"c", "ab"}), key_of({"ab", "c", ""})}) {
    EXPECT_FALSE(EncodedCache(folder / "cache", other).read().has_value()) << other.text();
  }
  EXPECT_TRUE(EncodedCache(folder / "cache", key_of({"ab", "c"})).read().has_value());
}

TEST(EncodedCache, ADamagedFileIsNoRowsWhereverTheDamageIs) {
  const DataFolder folder;
  const CacheKey key = key_of({"a"});
  const EncodedCache cache(folder / "cache", key);
  cache.write(some_rows());
  const std::string name = "cache/" + key.text() + ".rows", whole = folder.read(name);
  for (size_t at = 0; at < whole.size(); at += 7) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    folder.write(name, damaged);
    EXPECT_FALSE(cache.read().has_value()) << at;
  }
  for (size_t size = 0; size < whole.size(); size += 13) {
    folder.write(name, whole.substr(0, size));
    EXPECT_FALSE(cache.read().has_value()) << size;
  }
}

}  // namespace
}  // namespace suanli

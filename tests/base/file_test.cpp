// A file is read whole or not at all, and replaced whole or not at all.
#include "base/file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file_place.h"
#include "expect_error.h"
#include "formats/scratch.h"

namespace suanli {
namespace {

std::string text_of(const MappedFile& map) {
  return std::string(reinterpret_cast<const char*>(map.bytes().data()), map.bytes().size());
}

TEST(File, WhatIsWrittenIsReadBack) {
  const Scratch folder;
  for (const std::string& content : {std::string(), std::string("a\0b\n", 4), std::string(3 << 20, 'x')}) {
    write_file_atomically(folder / "f", content);
    EXPECT_EQ(read_file(folder / "f"), content);
    EXPECT_EQ(text_of(MappedFile(folder / "f")), content);
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"f"}) << "a temporary file is left behind";
}

/// Megabytes of files that lie in this process's memory.
int64_t mapped_megabytes() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0, shared = 0;
  file >> size >> resident >> shared;
  return shared * ::sysconf(_SC_PAGESIZE) >> 20;
}

TEST(File, ReleasedPagesLeaveTheMemoryAndComeBackAsTheyWere) {
  const Scratch folder;
  const std::string content(64 << 20, 'x');
  write_file_atomically(folder / "f", content);
  const MappedFile map(folder / "f");
  EXPECT_EQ(text_of(map), content);
  const int64_t before = mapped_megabytes();
  release_mapped_pages();
  EXPECT_LE(mapped_megabytes(), before - 60);
  EXPECT_EQ(text_of(map), content);
}

TEST(File, PagesOfOthersMapsAndOfThoseReleasedOnceStay) {
  const Scratch folder;
  const std::string content(64 << 20, 'x');
  for (const char* name : {"f", "g"}) write_file_atomically(folder / name, content);
  const MappedFile served(folder / "f");  // by a model that was loaded before
  release_mapped_pages();
  EXPECT_EQ(text_of(served), content);
  const int64_t before = mapped_megabytes();
  std::thread loader([&] {
    const MappedFile loaded(folder / "g");
    EXPECT_EQ(text_of(loaded), content);
    release_mapped_pages();
    EXPECT_LE(mapped_megabytes(), before + 4) << "the loader's own map";
  });
  loader.join();
  release_mapped_pages();
  EXPECT_GE(mapped_megabytes(), before - 4) << "the map of the model that is being served";
}

TEST(File, AMapOutlivesTheReplacementOfItsFile) {
  const Scratch folder;
  write_file_atomically(folder / "f", "old");
  const MappedFile map(folder / "f");
  write_file_atomically(folder / "f", "new and longer");
  EXPECT_EQ(text_of(map), "old");
  EXPECT_EQ(read_file(folder / "f"), "new and longer");
}

TEST(File, AMovedMapIsTheSameBytes) {
  const Scratch folder;
  write_file_atomically(folder / "f", "content");
  MappedFile first(folder / "f");
  MappedFile second(std::move(first));
  write_file_atomically(folder / "g", "other");
  MappedFile third(folder / "g");
  third = std::move(second);
  EXPECT_EQ(text_of(third), "content");
}

TEST(File, MappedBytesKnowTheirPlaceInTheFileThatWasMapped) {
  const Scratch folder;
  write_file_atomically(folder / "f", "old content");
  auto map = std::make_unique<MappedFile>(folder / "f");
  const std::byte* begin = map->bytes().data();
  write_file_atomically(folder / "f", "new");
  const auto place = place_in_file(begin + 4);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->offset, 4U);
  char text[7] = {};
  ASSERT_EQ(pread(place->descriptor, text, sizeof text, 4), 7);
  EXPECT_EQ(std::string(text, 7), "content");
  EXPECT_FALSE(place_in_file(begin - 1)) << "before the map";
  EXPECT_FALSE(place_in_file(begin + 11)) << "behind the last byte";
  EXPECT_FALSE(place_in_file(text)) << "memory of no map";
  map.reset();
  EXPECT_FALSE(place_in_file(begin)) << "the map is gone";
}

TEST(File, WhatCannotBeReadIsTheUsersError) {
  const Scratch folder;
  EXPECT_NE(error_of([&] { read_file(folder / "missing"); }).find("no such file"), std::string::npos);
  EXPECT_NE(error_of([&] { read_file(folder.path()); }).find("found a folder"), std::string::npos);
  EXPECT_THROW(MappedFile{folder / "missing"}, UserError);
  EXPECT_THROW(read_file(std::string(5000, 'x')), UserError);
  write_file_atomically(folder / "f", "12345");
  EXPECT_EQ(read_file(folder / "f", 5), "12345");
  EXPECT_NE(error_of([&] { read_file(folder / "f", 4); }).find("at most 4 bytes, the file has 5"), std::string::npos);
  // A pipe without a writer must be refused, not waited for.
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THROW(read_file(folder / "pipe"), UserError);
}

TEST(File, AFailedWriteLeavesTheOldFileAndNothingElse) {
  const Scratch folder;
  EXPECT_THROW(write_file_atomically(folder / "absent" / "f", "x"), EnvironmentError);
  // A folder in the place of the file: the rename fails after everything has been written.
  std::filesystem::create_directory(folder / "taken");
  write_file_atomically(folder / "taken" / "old", "old");
  EXPECT_THROW(write_file_atomically(folder / "taken", "x"), EnvironmentError);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"taken"});
  EXPECT_EQ(read_file(folder / "taken" / "old"), "old");
}

TEST(File, AWriteCutShortLeavesTheOldFileAndNothingElse) {
  const Scratch folder;
  write_file_atomically(folder / "f", "old");
  // A limit on file sizes stands for a full disk: the second half of the write fails.
  struct rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small = {4096, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message =
      error_of<EnvironmentError>([&] { write_file_atomically(folder / "f", std::string(100000, 'x')); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(message.find("cannot be written: File too large"), std::string::npos) << message;
  EXPECT_EQ(read_file(folder / "f"), "old");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"f"});
  EXPECT_THROW(sync_path(folder / "absent"), EnvironmentError);
}

// Known answers of FIPS 180-2: the empty message, "abc", and one million times "a".
TEST(File, Sha256GivesThePublishedDigests) {
  const Scratch folder;
  const auto digest = [&](const std::string& content) {
    write_file_atomically(folder / "f", content);
    return sha256_file(folder / "f");
  };
  EXPECT_EQ(digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(digest(std::string(1 << 20, 'a')), digest(std::string(1 << 20, 'a')));
  EXPECT_THROW(sha256_file(folder / "missing"), UserError);
}

}  // namespace
}  // namespace suanli

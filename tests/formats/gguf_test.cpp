/// GGUF files: every type as the reference package reads it, hostile bytes refused.
#include "formats/gguf.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "expect_error.h"
#include "formats/gguf_bytes.h"
#include "formats/safetensors.h"
#include "formats/scratch.h"

namespace suanli {
namespace {

std::filesystem::path golden(const char* name) {
  return std::filesystem::path(SUANLI_TESTS_DIR) / "golden/gguf" / name;
}

TEST(Gguf, EveryTypeReadsAsTheReferencePackageReadsIt) {
  const GgufFile file = GgufFile::open(golden("types.gguf"));
  const SafetensorsFile expected = SafetensorsFile::open(golden("types.safetensors"));
  ASSERT_EQ(file.entries().size(), 8U);
  for (const auto& [name, entry] : file.entries()) {
    const Tensor ours = file.tensor(name), theirs = expected.tensor(name);
    ASSERT_EQ(ours.shape(), theirs.shape()) << name;
    for (size_t i = 0; i < ours.host<float>().size(); ++i) {
      // The same products and sums in f32; a compiler may fuse the multiply-add of a scale and a minimum.
      ASSERT_NEAR(ours.host<float>()[i], theirs.host<float>()[i], 1e-6 * (1 + std::abs(theirs.host<float>()[i])))
          << name << " " << i;
    }
  }
  EXPECT_EQ(file.metadata()["test.numbers"], Json::array({1, 2, 3}));
  EXPECT_EQ(file.metadata()["test.words"], Json::array({"a", "b\u00e9"}));
  EXPECT_EQ(file.metadata()["test.half"], 0.5);
  EXPECT_EQ(file.metadata()["test.yes"], true);
}

TEST(Gguf, HostileFilesAreRefusedWithAReason) {
  const auto refused = [](const std::string& bytes, const char* part) {
    EXPECT_NE(error_of([&] { parse_gguf(bytes); }).find(part), std::string::npos)
        << error_of([&] { parse_gguf(bytes); });
  };
  refused("", "4 more bytes");
  refused("GGML" + std::string(40, '\0'), "letters GGUF");
  refused(GgufBytes().number<uint32_t>(1).text, "version 1");
  refused(GgufBytes().header(uint64_t{1} << 60, 0).text, "at most");
  refused(GgufBytes().header(0, uint64_t{1} << 60).text, "at most");
  refused(GgufBytes().header(0, 1).number(~uint64_t{0}).text, "string within the file");
  refused(GgufBytes().header(0, 1).key(std::string_view("a\0b", 3), "x").text, "without NUL");
  refused(GgufBytes().header(0, 1).key("\xff", "x").text, "UTF-8");
  refused(GgufBytes().header(0, 2).key("a", "x").key("a", "y").text, "twice");
  refused(GgufBytes().header(0, 1).string("a").number<uint32_t>(13).text, "value type");
  refused(GgufBytes().header(0, 1).string("a").number<uint32_t>(7).number<uint8_t>(2).text, "boolean");
  refused(GgufBytes().header(0, 1).string("a").number<uint32_t>(9).number<uint32_t>(0).number(~uint64_t{0}).text,
          "array");
  GgufBytes nested = GgufBytes().header(0, 1).string("a").number<uint32_t>(9);
  for (int i = 0; i < 6; ++i) nested.number<uint32_t>(9).number<uint64_t>(1);
  refused(nested.text, "arrays within arrays");
  refused(GgufBytes().header(1, 0).tensor("t", 4, 99, 0).with_data(16), "type 99");
  refused(GgufBytes().header(1, 0).tensor("t", 0, 0, 0).with_data(16), "dimension of 0");
  refused(GgufBytes().header(1, 0).tensor("t", ~uint64_t{0}, 0, 0).with_data(16), "2^48");
  refused(GgufBytes().header(1, 0).tensor("t", 33, 8, 0).with_data(64), "blocks of 32");
  refused(GgufBytes().header(1, 0).tensor("t", 4, 0, 8).with_data(64), "multiple of 32");
  refused(GgufBytes().header(1, 0).tensor("t", 4, 0, 0).with_data(15), "cut short");
  refused(GgufBytes().header(1, 0).tensor("t", 4, 0, ~uint64_t{31}).with_data(64), "cut short");
  refused(GgufBytes().header(2, 0).tensor("t", 4, 0, 0).tensor("t", 4, 0, 32).with_data(64), "twice");
  refused(GgufBytes().header(2, 0).tensor("t", 16, 0, 0).tensor("u", 4, 0, 32).with_data(96), "behind the one before");
  EXPECT_EQ(parse_gguf(GgufBytes().header(1, 0).tensor("t", 4, 0, 0).with_data(16)).tensor("t").elements(), 4);
}

// Every prefix and random changes of a sound file: an error or tensors within the file, never a crash.
TEST(Gguf, DamagedFilesAreErrorsOrWhole) {
  const std::string sound = read_file(golden("types.gguf"));
  const auto read_all = [](const std::string& bytes) {
    try {
      const GgufFile file = parse_gguf(bytes);
      for (const auto& [name, entry] : file.entries()) file.tensor(name);
    } catch (const UserError&) {
    }
  };
  for (size_t length = 0; length < sound.size(); length += 37) read_all(sound.substr(0, length));
  RandomGenerator random({.seed = 3, .step = 0, .site = 0});
  for (int round = 0; round < 2000; ++round) {
    std::string changed = sound;
    for (int i = 0; i < 3; ++i) changed[random.below(700)] = static_cast<char>(random.below(256));
    read_all(changed);
  }
}

}  // namespace
}  // namespace suanli

#include "formats/safetensors.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "formats/safetensors_cases.h"
#include "formats/scratch.h"

namespace suanli {
namespace {

TEST(Safetensors, ReadsAFileMadeByHand) {
  // header of 0x75 = 117 bytes, then two f32 and three i8
  const std::string header =
      R"({"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"__metadata__":{"format":"pt"},)"
      R"("b":{"dtype":"I8","shape":[3],"data_offsets":[8,11]}})";
  std::string bytes = std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header;
  bytes += std::string("\x00\x00\x80\x3F\x00\x00\x00\xC0", 8);  // 1 and -2
  bytes += std::string("\x01\xFF\x80", 3);                      // 1, -1 and -128
  const auto file = SafetensorsFile::parse(bytes_of(bytes), "test");
  ASSERT_EQ(file.entries().size(), 2u);
  EXPECT_EQ(file.entries()[0].name, "w");
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  EXPECT_EQ(file.data_bytes(), 11u);
  const Tensor w = file.tensor("w"), b = file.tensor("b");
  EXPECT_EQ(w.shape(), Shape({2, 1}));
  EXPECT_EQ(w.host<float>()[0], 1.0F);
  EXPECT_EQ(w.host<float>()[1], -2.0F);
  EXPECT_EQ(b.host<int8_t>()[1], -1);
  EXPECT_EQ(b.host<int8_t>()[2], -128);
  EXPECT_EQ(file.find("x"), nullptr);
  EXPECT_THROW(file.tensor("x"), UserError);
}

TEST(Safetensors, WritesTheBytesItPromises) {
  // The exact file: names sorted within a size, larger elements first, the data at a multiple of 64.
  const Scratch scratch;
  const std::vector<NamedTensor> tensors = {{"b", Tensor::from(std::vector<int8_t>{1, 2}, {2})},
                                            {"c", Tensor::from(std::vector<float>{1}, Shape())},
                                            {"a", Tensor::from(std::vector<int8_t>{3}, {1, 1})}};
  write_safetensors(scratch / "x.safetensors", tensors);
  std::string header =
      R"({"__metadata__":{"format":"pt"},"c":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
      R"("a":{"dtype":"I8","shape":[1,1],"data_offsets":[4,5]},"b":{"dtype":"I8","shape":[2],"data_offsets":[5,7]}})";
  header.append((64 - (header.size() + 8) % 64) % 64, ' ');
  const std::string expected = std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header +
                               std::string("\x00\x00\x80\x3F\x03\x01\x02", 7);
  EXPECT_EQ(read_file(scratch / "x.safetensors"), expected);
  EXPECT_EQ(scratch.names(), std::vector<std::string>{"x.safetensors"});
  struct stat status = {};
  ASSERT_EQ(stat((scratch / "x.safetensors").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644u);
}

template <class T>
NamedTensor example(std::string name, Shape shape) {
  std::vector<T> values;
  for (int64_t i = 0; i < shape.elements(); ++i) values.push_back(static_cast<T>(static_cast<float>(i % 2)));
  const std::unique_ptr<T[]> array(new T[values.size() + 1]);
  std::copy(values.begin(), values.end(), array.get());
  return {std::move(name), Tensor::from(std::span<const T>(array.get(), values.size()), shape)};
}

TEST(Safetensors, EveryDtypeAndShapeComesBackByteForByte) {
  const Scratch scratch;
  const std::vector<NamedTensor> tensors = {example<float>("f32", {3, 5}),
                                            example<bfloat16>("bf16", {7}),
                                            example<float16>("f16", {1, 1, 3}),
                                            example<double>("f64", Shape()),
                                            example<int8_t>("i8", {5}),
                                            example<uint8_t>("u8", {3, 0, 2}),
                                            example<int32_t>("i32", {1}),
                                            example<int64_t>("i64", {2, 2}),
                                            example<bool>("bool", {3}),
                                            example<float>("a \"b\"\\\n权重", {2}),
                                            example<float>("rank 8", {1, 1, 1, 1, 1, 1, 1, 2})};
  const std::map<std::string, std::string> metadata = {{"format", "pt"}, {"键 \"\\\t", "\x01 值"}};
  write_safetensors(scratch / "x", tensors, metadata);
  const auto file = SafetensorsFile::open(scratch / "x");
  EXPECT_EQ(file.metadata(), metadata);
  ASSERT_EQ(file.entries().size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const Tensor read = file.tensor(name);
    EXPECT_EQ(read.shape(), tensor.shape()) << name;
    EXPECT_EQ(read.dtype(), tensor.dtype()) << name;
    EXPECT_EQ(std::memcmp(read.data(), tensor.data(), static_cast<size_t>(tensor.bytes())), 0) << name;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(read.data()) % static_cast<uintptr_t>(size_of(read.dtype())), 0u) << name;
  }
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.tensor(file.entries()[0]).data()) % 64, 0u);
}

TEST(Safetensors, TensorsBorrowTheMapAndKeepItAlive) {
  const Scratch scratch;
  const std::vector<NamedTensor> tensors = {example<float>("w", {1 << 16})};
  write_safetensors(scratch / "x", tensors);
  const int64_t before = backend(Device{}).statistics().live_bytes;
  Tensor w = SafetensorsFile::open(scratch / "x").tensor("w");
  EXPECT_EQ(backend(Device{}).statistics().live_bytes, before) << "no copy";
  std::filesystem::remove(scratch / "x");
  EXPECT_EQ(w.host<float>()[(1 << 16) - 1], 1.0F);
}

TEST(Safetensors, MisalignedTensorsAreCopied) {
  const std::string bytes = safetensors_file(
      concat('{', tensor_entry("a", "U8", "1", "0,1"), ',', tensor_entry("b", "F32", "1", "1,5"), '}'), 5);
  for (size_t shift = 0; shift < 8; ++shift) {  // somewhere in eight addresses b lies askew, and is right everywhere
    const std::string moved = std::string(shift, 'x') + bytes;
    const auto file = SafetensorsFile::parse(bytes_of(moved).subspan(shift), "test");
    const Tensor b = file.tensor("b");
    EXPECT_EQ(reinterpret_cast<uintptr_t>(b.data()) % 4, 0u);
    EXPECT_EQ(std::bit_cast<uint32_t>(b.host<float>()[0]), 0x04030201u);
  }
}

TEST(Safetensors, SavingOverAMappedFileLeavesTheMapIntact) {
  const Scratch scratch;
  const std::filesystem::path path = scratch / "x";
  write_safetensors(path, std::vector<NamedTensor>{example<float>("w", {100'000})});
  const Tensor old = SafetensorsFile::open(path).tensor("w");
  std::vector<NamedTensor> edited = {{"w", old}, {"extra", Tensor::zeros({3}, DType::f32)}};
  write_safetensors(path, edited);
  const auto file = SafetensorsFile::open(path);
  EXPECT_EQ(std::memcmp(file.tensor("w").data(), old.data(), 400'000), 0);
  EXPECT_EQ(old.host<float>()[99'999], 1.0F);
}

TEST(Safetensors, TypesAndRanksTheEngineLacksAreNamedWhenAskedFor) {
  for (const char* type : {"I16", "U16", "U32", "U64", "C64", "F8_E4M3", "F8_E5M2"}) {
    const std::string bytes = safetensors_file(concat('{', tensor_entry("a", type, "0", "0,0"), '}'), 0);
    const auto file = SafetensorsFile::parse(bytes_of(bytes), "test");
    try {
      file.tensor("a");
      FAIL() << type;
    } catch (const UserError& error) {
      EXPECT_NE(std::string_view(error.what()).find(type), std::string_view::npos) << error.what();
    }
  }
  const std::string bytes = safetensors_file(concat('{', tensor_entry("a", "U8", "1,1,1,1,1,1,1,1,1", "0,1"), '}'), 1);
  EXPECT_THROW(SafetensorsFile::parse(bytes_of(bytes), "test").tensor("a"), UserError);
}

TEST(Safetensors, ABoolByteIsZeroOrOne) {
  const std::string bytes = safetensors_file(concat('{', tensor_entry("a", "BOOL", "3", "0,3"), '}'), 3);
  EXPECT_THROW(SafetensorsFile::parse(bytes_of(bytes), "test").tensor("a"), UserError) << "0, 1 and 2";
}

TEST(Safetensors, EscapedNamesAreDecoded) {
  const std::string bytes = safetensors_file(
      concat('{', tensor_entry(R"(a\u6743\ud83d\ude00\n\"\\\/\u00e9\u0041)", "U8", "1", "0,1"), '}'), 1);
  const auto file = SafetensorsFile::parse(bytes_of(bytes), "test");
  EXPECT_EQ(file.entries()[0].name, "a\u6743\U0001F600\n\"\\/\u00e9A");
  EXPECT_NE(file.find("a\u6743\U0001F600\n\"\\/\u00e9A"), nullptr);
}

TEST(Safetensors, EveryStringLengthFindsItsEnd) {
  // The scan takes eight bytes at a time: the quote, an escape and a wide character at each place of the eight.
  for (size_t length = 0; length < 40; ++length) {
    const std::string stem(length, 'n');
    for (const auto& [text, meaning] :
         std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                          {"\\n", "\n"},
                                                          {"é", "é"},
                                                          {"权", "权"},
                                                          {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
                                                          {"~", "~"},
                                                          {"\x7F", "\x7F"}}) {
      const std::string bytes =
          safetensors_file(concat('{', tensor_entry(concat(stem, text, "end"), "U8", "1", "0,1"), '}'), 1);
      EXPECT_EQ(SafetensorsFile::parse(bytes_of(bytes), "test").entries()[0].name, concat(stem, meaning, "end"));
      for (const char control : {'\x01', '\x1F', '\t'}) {
        const std::string bad =
            safetensors_file(concat('{', tensor_entry(concat(stem, text, control), "U8", "1", "0,1"), '}'), 1);
        EXPECT_THROW(SafetensorsFile::parse(bytes_of(bad), "test"), UserError);
      }
    }
  }
}

TEST(Safetensors, WritingRefusesWhatCouldNotBeReadBack) {
  const Scratch scratch;
  const auto write = [&](std::string name, std::map<std::string, std::string> metadata = {}) {
    write_safetensors(scratch / "x",
                      std::vector<NamedTensor>{example<float>("w", {1}), example<float>(std::move(name), {1})},
                      metadata);
  };
  EXPECT_THROW(write("w"), UserError);
  EXPECT_THROW(write("__metadata__"), UserError);
  EXPECT_THROW(write("\xFF"), UserError);
  EXPECT_THROW(write(std::string("a\0", 2)), UserError);
  EXPECT_THROW(write("v", {{"\xC0\x80", "x"}}), UserError);
  EXPECT_THROW(write("v", {{"x", "\xED\xA0\x80"}}), UserError);
  EXPECT_THROW(write_safetensors(scratch / "x", std::vector<NamedTensor>{{"undefined", Tensor()}}), UserError);
  EXPECT_TRUE(scratch.names().empty()) << "nothing is left of a refused file";
  EXPECT_THROW(write_safetensors(scratch / "no folder" / "x", std::vector<NamedTensor>{example<float>("w", {1})}),
               EnvironmentError);
}

TEST(Safetensors, MissingFilesAndFoldersAreUserErrors) {
  const Scratch scratch;
  EXPECT_THROW(SafetensorsFile::open(scratch / "missing"), UserError);
  EXPECT_THROW(SafetensorsFile::open(scratch.path()), UserError);
  std::ofstream(scratch / "empty").close();
  EXPECT_THROW(SafetensorsFile::open(scratch / "empty"), UserError);
}

}  // namespace
}  // namespace suanli

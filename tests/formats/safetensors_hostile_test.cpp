/// Untrusted weights never crash or over-allocate, and one file has one meaning.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "formats/allocation_counter.h"
#include "formats/safetensors.h"
#include "formats/safetensors_cases.h"
#include "formats/safetensors_mutator.h"

namespace suanli {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr double kSlower = 30;  // what checked or unoptimised code may take more
#else
constexpr double kSlower = 1;
#endif
constexpr double kLimitSeconds = 0.1 * kSlower;

double thread_seconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Outcome {
  bool accepted = false;
  std::string message;
  double seconds = 0;
  size_t heap = 0;
};

/// Reads a file and, when it is accepted, every tensor of it; anything but success or UserError ends the test.
Outcome read_all(const std::string& bytes) {
  Outcome out;
  const size_t before = live_heap_bytes();
  reset_peak_heap_bytes();
  const double start = thread_seconds();
  try {
    const auto file = SafetensorsFile::parse(bytes_of(bytes), "test");
    out.seconds = thread_seconds() - start;
    out.heap = peak_heap_bytes() - before;
    out.accepted = true;
    uint64_t covered = 0;
    for (const SafetensorsEntry& entry : file.entries()) {
      covered += entry.end - entry.begin;
      EXPECT_EQ(file.find(entry.name), &entry);
      try {
        const Tensor tensor = file.tensor(entry);
        EXPECT_EQ(static_cast<uint64_t>(tensor.bytes()), entry.end - entry.begin);
      } catch (const UserError&) {  // a type, rank or boolean that the engine lacks
      }
    }
    EXPECT_EQ(covered, file.data_bytes()) << "every byte belongs to one tensor";
  } catch (const UserError& error) {
    out.seconds = thread_seconds() - start;
    out.heap = peak_heap_bytes() - before;
    out.message = error.what();
  }
  return out;
}

/// Four times the header that the file can really have, plus 1 MiB.
size_t heap_limit(const std::string& bytes) { return 4 * bytes.size() + (size_t{1} << 20); }

TEST(SafetensorsHostile, EveryCaseGetsItsVerdict) {
  const std::vector<SafetensorsCase> cases = safetensors_cases();
  size_t hostile = 0;
  for (const SafetensorsCase& file : cases) {
    const Outcome outcome = read_all(file.bytes);
    EXPECT_EQ(outcome.accepted, file.sound) << file.name << ": " << outcome.message;
    EXPECT_LE(outcome.seconds, kLimitSeconds) << file.name;
    EXPECT_LE(outcome.heap, heap_limit(file.bytes)) << file.name;
    hostile += file.sound ? 0 : 1;
    if (!file.sound) {
      EXPECT_TRUE(outcome.message.starts_with("[test] ")) << file.name;
      EXPECT_LE(outcome.message.size(), 400u) << file.name << ": one short message, whatever the file holds";
      EXPECT_EQ(outcome.message.find('\0'), std::string::npos) << file.name;
    }
  }
  EXPECT_GE(hostile, 200u);
}

/// Writes the corpus, our verdicts and what we read for tests/peers/check_safetensors_peers.py, where it asks for it.
TEST(SafetensorsHostile, TheCorpusIsWrittenForThePeer) {
  const char* folder = std::getenv("SUANLI_CORPUS");
  const std::filesystem::path target =
      folder == nullptr ? std::filesystem::path(testing::TempDir()) / "suanli-corpus" : std::filesystem::path(folder);
  std::filesystem::create_directories(target);
  Json verdicts = Json::array();
  int number = 0;
  for (const SafetensorsCase& item : safetensors_cases()) {
    const std::string name = concat(number++, ".safetensors");
    write_file_atomically(target / name, item.bytes);
    Json verdict = {{"file", name}, {"case", item.name}, {"accepted", false}};
    try {
      const auto file = SafetensorsFile::open(target / name);
      verdict["accepted"] = true;
      verdict["metadata"] = file.metadata();
      for (const SafetensorsEntry& entry : file.entries()) {
        verdict["tensors"][std::string(entry.name)] = {
            {"dtype", entry.type->name}, {"sizes", entry.sizes}, {"begin", entry.begin}, {"end", entry.end}};
      }
    } catch (const UserError&) {
    }
    verdicts.push_back(std::move(verdict));
  }
  write_file_atomically(target / "verdicts.json", verdicts.dump(1));
  EXPECT_EQ(read_json(target / "verdicts.json").size(), verdicts.size());
  if (folder == nullptr) std::filesystem::remove_all(target);
}

/// Headers near the limit of 100,000,000 bytes, each the worst of its kind for time or memory.
TEST(SafetensorsHostile, TheLargestHeadersStayWithinTimeAndHeap) {
  const auto header_of = [](size_t most, auto&& next) {
    std::string text = "{";
    for (size_t i = 0;; ++i) {
      const std::string item = next(i);
      if (item.empty() || text.size() + item.size() + 2 > most) break;
      if (i > 0) text += ',';
      text += item;
    }
    return text + '}';
  };
  constexpr size_t most = kSafetensorsMaxHeader;
  const std::string prefix(300, 'p');
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"most tensors",
       header_of(most,
                 [](size_t i) { return i < kSafetensorsMaxTensors ? tensor_entry(concat(i), "U8", "0", "0,0") : ""; })},
      {"more tensors than allowed",
       header_of(most, [](size_t i) { return tensor_entry(concat(i), "U8", "0", "0,0"); })},
      {"most tensors with long names", header_of(most,
                                                 [&](size_t i) {
                                                   return i < kSafetensorsMaxTensors
                                                              ? tensor_entry(concat(prefix, i), "U8", "0", "0,0")
                                                              : "";
                                                 })},
      {"every name escaped", header_of(most,
                                       [](size_t i) {
                                         return i < kSafetensorsMaxTensors
                                                    ? tensor_entry(concat("\\u0041", i), "U8", "0", "0,0")
                                                    : "";
                                       })},
      {"metadata escaped", concat(R"({"__metadata__":{"k":")", std::string(most - 30, 'v'), R"(\n"}})")},
      {"tensor twice", header_of(most, [](size_t i) { return tensor_entry(concat(i % 65535), "U8", "0", "0,0"); })},
      {"spaces within", concat('{', std::string(most - 2, ' '), '}')},
      {"spaces after", concat("{}", std::string(most - 2, ' '))},
      {"one name", concat("{\"", std::string(most - 3, 'n'), '"')},
      {"one wide name",
       [] {
         std::string text = "{\"";
         while (text.size() + 3 < most) text += "权";
         return text;
       }()},
      {"one name of quotes",
       [] {
         std::string text = "{\"";
         while (text.size() + 2 < most) text += "\\\"";
         return text;
       }()},
      {"one name of escapes",
       [] {
         std::string text = "{\"";
         while (text.size() + 6 < most) text += "\\u0041";
         return text;
       }()},
      {"digits", concat(R"({"a":{"shape":[)", std::string(most - 20, '0'))},
      {"brackets", std::string(most, '[')},
  };
  for (const auto& [name, header] : headers) {
    const std::string bytes = safetensors_file(header, 0);
    Outcome outcome = read_all(bytes);
    for (int again = 0; again < 3 && outcome.seconds > kLimitSeconds;
         ++again) {  // the best of four: other programs share the caches and memory
      outcome.seconds = std::min(outcome.seconds, read_all(bytes).seconds);
    }
    EXPECT_LE(outcome.seconds, kLimitSeconds) << name << ": " << outcome.message;
    EXPECT_LE(outcome.heap, 4 * header.size() + (size_t{1} << 20)) << name;
    std::printf("%-30s %9zu bytes %6.1f ms, heap %5.2f of the header, %s\n", name.c_str(), header.size(),
                1e3 * outcome.seconds, static_cast<double>(outcome.heap) / static_cast<double>(header.size()),
                outcome.accepted ? "accepted" : outcome.message.c_str());
  }
}

/// SUANLI_MUTATIONS sets the number (a full run takes 1,000,000).
TEST(SafetensorsHostile, MutationsNeitherCrashNorRunAway) {
  const char* asked = std::getenv("SUANLI_MUTATIONS");
  const int64_t count = asked != nullptr ? std::atoll(asked) : 100'000;
  ASSERT_GT(count, 0);
  Mutator mutator(20240601);
  int64_t accepted = 0;
  double slowest = 0;
  for (int64_t i = 0; i < count; ++i) {
    const std::string bytes = mutator.next();
    const Outcome outcome = read_all(bytes);
    accepted += outcome.accepted;
    slowest = std::max(slowest, outcome.seconds);
    ASSERT_LE(outcome.seconds, kLimitSeconds) << "mutation " << i;
    ASSERT_LE(outcome.heap, heap_limit(bytes)) << "mutation " << i;
  }
  std::printf("%lld mutations, %lld accepted, slowest %.3f ms\n", static_cast<long long>(count),
              static_cast<long long>(accepted), 1e3 * slowest);
  EXPECT_GT(accepted, 0) << "mutations that leave a file sound reach the code behind the checks";
  EXPECT_LT(accepted, count / 2) << "most mutations are refused";
}

}  // namespace
}  // namespace suanli

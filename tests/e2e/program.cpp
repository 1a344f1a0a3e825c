#include "e2e/program.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/random.h"

namespace suanli::e2e {

namespace fs = std::filesystem;

namespace {

struct ScratchRoot {
  fs::path path = fs::temp_directory_path() / ("suanli_e2e_" + std::to_string(getpid()));
  ScratchRoot() { fs::create_directories(path); }
  ~ScratchRoot() { fs::remove_all(path); }
};

const fs::path& root() {
  static const ScratchRoot made;
  return made.path;
}

constexpr const char* kWords[] = {"good", "bad", "plain", "film", "story", "actor", "scene", "music", "light", "time"};

}  // namespace

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& file, const std::string& content) { std::ofstream(file, std::ios::binary) << content; }

fs::path scratch(const std::string& name) {
  fs::create_directories(root() / name);
  return root() / name;
}

ProgramRun suanli(const std::string& arguments, const std::string& input) {
  const fs::path in = root() / "in", out = root() / "out", err = root() / "err";
  write(in, input);
  const auto start = std::chrono::steady_clock::now();
  const int status = std::system(
      (std::string(SUANLI_PROGRAM) + " " + arguments + " <" + in.string() + " >" + out.string() + " 2>" + err.string())
          .c_str());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, read(out), read(err), seconds.count()};
}

fs::path small_classifier() {
  const fs::path folder = scratch("small_classifier");
  if (fs::exists(folder / "vocab.txt")) return folder;
  const fs::path golden = fs::path(SUANLI_TESTS_DIR) / "golden/models/bert/text-classification";
  for (const char* file : {"config.json", "model.safetensors"}) fs::copy_file(golden / file, folder / file);
  std::ostringstream vocab;
  vocab << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (const char* word : kWords) vocab << word << "\n";
  for (int i = 15; i < 120; ++i) vocab << "##" << i << "\n";
  write(folder / "vocab.txt", vocab.str());
  return folder;
}

std::string separable_csv(int rows, int seed) {
  RandomGenerator random({static_cast<uint64_t>(seed), 0, 0});
  std::ostringstream out;
  out << "text,label\n";
  for (int row = 0; row < rows; ++row) {
    const uint64_t label = random.below(3);
    for (int word = 0; word < 4; ++word) out << kWords[3 + random.below(7)] << " ";
    out << kWords[label] << "," << kWords[label] << "\n";
  }
  return out.str();
}

}  // namespace suanli::e2e

/// The layer rule as a test: every #include of src/ points down, as ARCHITECTURE.md draws it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;

// What each folder may include beside itself; "may include" carries over to what lies below.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"base", {}},
    {"tensor", {"base"}},
    {"kernels", {"tensor"}},
    {"autograd", {"tensor"}},
    {"ops", {"autograd", "kernels"}},
    {"nn", {"ops"}},
    {"optim", {"nn", "ops"}},
    {"dist", {"nn", "ops"}},
    {"text", {"base"}},
    {"image", {"base"}},
    {"audio", {"base"}},
    {"formats", {"tensor"}},
    {"page", {"base"}},
    {"data", {"text", "image", "audio", "page", "tensor"}},
    {"models", {"nn", "formats"}},
    {"monitor", {"base"}},
    {"train", {"infer", "data", "optim", "dist", "formats", "monitor"}},
    {"report", {"train", "page"}},
    {"infer", {"models", "data", "formats"}},
    {"serve", {"infer", "monitor"}},
    {"apps", {"serve", "data"}},
    {"cli", {"train", "infer", "report", "serve", "apps"}},
};

void add_with_all_below(const std::string& folder, std::set<std::string>& out) {
  for (const std::string& below : kMayInclude.at(folder)) {
    if (out.insert(below).second) add_with_all_below(below, out);
  }
}

fs::path source_root() { return fs::path(SUANLI_TESTS_DIR).parent_path() / "src"; }

TEST(Layers, EveryIncludePointsDown) {
  const std::regex include(R"re(^\s*#include\s+"(([a-z]+)/[^"]+)")re");
  int seen = 0;
  for (const auto& entry : fs::recursive_directory_iterator(source_root())) {
    const fs::path extension = entry.path().extension();
    if (extension != ".h" && extension != ".cpp" && extension != ".cu") continue;
    const std::string folder = fs::relative(entry.path(), source_root()).begin()->string();
    ASSERT_TRUE(kMayInclude.contains(folder)) << folder << " has no place in the house: see ARCHITECTURE.md";
    std::set<std::string> allowed = {folder};
    add_with_all_below(folder, allowed);
    std::ifstream file(entry.path());
    std::smatch match;
    for (std::string line; std::getline(file, line);) {
      if (!std::regex_search(line, match, include)) continue;
      ++seen;
      EXPECT_TRUE(allowed.contains(match[2])) << entry.path() << " includes " << match[1] << ", which lies above it";
      EXPECT_TRUE(fs::exists(source_root() / match[1].str())) << entry.path() << " includes a file that is not there";
    }
  }
  EXPECT_GT(seen, 300) << "the test reads the sources";
}

TEST(Layers, ModelNamesStayInModels) {
  // A model's identity is asked in models/ alone: other layers read configuration fields.
  const std::regex identity(R"(BertFamily|model_type|distilbert)");
  // The server's /info has a field of that name, which clients read.
  const std::regex in_serve(R"(BertFamily|distilbert)");
  for (const auto& entry : fs::recursive_directory_iterator(source_root())) {
    if (!entry.is_regular_file()) continue;
    const std::string folder = fs::relative(entry.path(), source_root()).begin()->string();
    if (folder == "models") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      EXPECT_FALSE(std::regex_search(line, folder == "serve" ? in_serve : identity)) << entry.path() << ": " << line;
    }
  }
}

TEST(Layers, EveryHeaderSaysWhatItIsFor) {
  for (const auto& entry : fs::recursive_directory_iterator(source_root())) {
    if (entry.path().extension() != ".h") continue;
    std::ifstream file(entry.path());
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    EXPECT_NE(text.find("///"), std::string::npos) << entry.path();
  }
}

}  // namespace

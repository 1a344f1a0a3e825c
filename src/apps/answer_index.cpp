#include "apps/answer_index.h"

#include <unistd.h>

#include <hnswlib/hnswlib.h>
#include <algorithm>
#include <cstring>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"

namespace suanli::apps {

namespace {

namespace fs = std::filesystem;

constexpr size_t kLinks = 16, kBuildSearch = 200, kSearch = 100;  // M, efConstruction and the least ef of hnswlib

std::string_view bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// Removes what a manifest does not name: parts of an older index, or of a write that was broken off.
void remove_other_parts(const fs::path& folder, const Json& manifest) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == manifest["graph"]["file"] || name == manifest["documents"]["file"]) continue;
    if (name.ends_with(".hnsw") || name.ends_with(".f32")) fs::remove(entry.path());
  }
}

}  // namespace

struct AnswerIndex::State {
  State(size_t columns, std::vector<float> texts) : width(columns), space(columns), documents(std::move(texts)) {}
  size_t width;
  hnswlib::InnerProductSpace space;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph = {};
  std::vector<float> documents;
};

AnswerIndex::AnswerIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
AnswerIndex::AnswerIndex(AnswerIndex&&) noexcept = default;
AnswerIndex& AnswerIndex::operator=(AnswerIndex&&) noexcept = default;
AnswerIndex::~AnswerIndex() = default;

AnswerIndex::AnswerIndex(size_t width, std::span<const float> questions, std::vector<float> documents)
    : state_(std::make_unique<State>(width, std::move(documents))) {
  SUANLI_ASSERT(width > 0 && !questions.empty() && questions.size() == state_->documents.size());
  const size_t rows = questions.size() / width;
  state_->graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(&state_->space, rows, kLinks, kBuildSearch);
  for (size_t row = 0; row < rows; ++row) state_->graph->addPoint(questions.data() + row * width, row);
}

size_t AnswerIndex::size() const { return state_->documents.size() / state_->width; }
size_t AnswerIndex::width() const { return state_->width; }

std::vector<Neighbour> AnswerIndex::nearest(std::span<const float> query, size_t count) const {
  SUANLI_ASSERT(query.size() == state_->width);
  const size_t wanted = std::min(count, size());
  // hnswlib's search list is as long as the greater of its ef and what is asked for: more is asked, the rest dropped.
  auto found = state_->graph->searchKnn(query.data(), std::min(size(), std::max(wanted, kSearch)));
  std::vector<Neighbour> out;
  for (; !found.empty(); found.pop()) out.push_back({found.top().second, 1 - found.top().first});
  std::ranges::sort(out, [](const Neighbour& a, const Neighbour& b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.row < b.row;
  });
  out.resize(std::min(out.size(), wanted));
  return out;
}

float AnswerIndex::document_cosine(size_t row, std::span<const float> query) const {
  const float* document = state_->documents.data() + row * state_->width;
  double sum = 0;
  for (size_t i = 0; i < state_->width; ++i) sum += static_cast<double>(document[i]) * query[i];
  return static_cast<float>(sum);
}

void AnswerIndex::save(const fs::path& folder, const Json& key) const {
  std::error_code failure;
  fs::create_directories(folder, failure);
  const fs::path draft = folder / concat("draft-", static_cast<int64_t>(getpid()), ".hnsw");
  state_->graph->saveIndex(draft.string());
  if (!fs::exists(draft))
    throw EnvironmentError(folder.string(), "the index cannot be written; is the folder writable?");
  sync_path(draft);
  const std::string graph_hash = sha256_file(draft);
  const std::string graph_name = graph_hash.substr(0, 16) + ".hnsw", documents_name = graph_hash.substr(0, 16) + ".f32";
  fs::rename(draft, folder / graph_name);
  write_file_atomically(folder / documents_name, bytes_of(state_->documents));
  const Json manifest = {{"key", key},
                         {"width", width()},
                         {"rows", size()},
                         {"graph", {{"file", graph_name}, {"sha256", graph_hash}}},
                         {"documents", {{"file", documents_name}, {"sha256", sha256_file(folder / documents_name)}}}};
  write_file_atomically(folder / "manifest.json", manifest.dump(2) + "\n");
  remove_other_parts(folder, manifest);
}

std::optional<AnswerIndex> AnswerIndex::load(const fs::path& folder, const Json& key, std::string* reason) {
  const auto fail = [reason](std::string why) {
    *reason = std::move(why);
    return std::nullopt;
  };
  if (!fs::exists(folder / "manifest.json")) return fail("there is none");
  try {
    const Json manifest = read_json(folder / "manifest.json", 1 << 20);
    if (manifest.value("key", Json()) != key) return fail("the answers or the encoder have changed");
    const auto part = [&](const char* name) {
      const Json entry = manifest.value(name, Json::object());
      const fs::path file = folder / fs::path(json_get<std::string>(entry, "file", "manifest.json")).filename();
      const bool whole =
          fs::exists(file) && sha256_file(file) == json_get<std::string>(entry, "sha256", "manifest.json");
      return whole ? file : fs::path();
    };
    const fs::path graph = part("graph"), documents = part("documents");
    if (graph.empty() || documents.empty()) return fail("a file of it is missing or damaged");
    const auto width = static_cast<size_t>(json_get<int64_t>(manifest, "width", "manifest.json"));
    const std::string bytes = read_file(documents);
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
    auto state = std::make_unique<State>(width, std::move(values));
    state->graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(&state->space, graph.string());
    const bool agrees = width > 0 && state->graph->cur_element_count * width == state->documents.size();
    if (!agrees || state->documents.empty()) return fail("its files do not belong together");
    return AnswerIndex(std::move(state));
  } catch (const std::runtime_error& error) {  // of the JSON, of a file, or of hnswlib
    return fail(error.what());
  }
}

}  // namespace suanli::apps

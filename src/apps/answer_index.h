/// The vectors of the questions that have answers: which are nearest to one that is asked, kept on disk between starts.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/json.h"

namespace suanli::apps {

struct Neighbour {
  size_t row = 0;    ///< of the answers
  float cosine = 0;  ///< of its question
};

/// A graph of small worlds (hnswlib; Malkov and Yashunin 2018, "Efficient and robust approximate nearest neighbor
/// search using hierarchical navigable small world graphs") over the questions, and the vectors of questions with their
/// answers beside it. All vectors have length 1. Reading functions may be called from any thread.
class AnswerIndex {
 public:
  /// questions and documents [N, width], row-major, N above 0. The same vectors give the same graph.
  AnswerIndex(size_t width, std::span<const float> questions, std::vector<float> documents);
  AnswerIndex(AnswerIndex&&) noexcept;
  AnswerIndex& operator=(AnswerIndex&&) noexcept;
  ~AnswerIndex();

  /// The `count` nearest questions (fewer where there are fewer), best first; ties by row.
  std::vector<Neighbour> nearest(std::span<const float> query, size_t count) const;
  /// The cosine of `query` to question and answer of a row.
  float document_cosine(size_t row, std::span<const float> query) const;

  size_t size() const;
  size_t width() const;

  /// Writes graph and vectors, then, whole or not at all, manifest.json, which names them with their SHA-256. `key`
  /// says what the index was made from. Throws EnvironmentError.
  void save(const std::filesystem::path& folder, const Json& key) const;
  /// Nothing where the folder has no whole index of that key; `reason` then says why.
  static std::optional<AnswerIndex> load(const std::filesystem::path& folder, const Json& key, std::string* reason);

 private:
  struct State;
  explicit AnswerIndex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace suanli::apps

/// What turns one piece of normalised text into tokens: WordPiece or BPE.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace suanli {

class JsonNode;

/// A token of a piece, with the code points [begin, end) of the piece that it covers.
struct ModelToken {
  int32_t id = 0;
  uint32_t begin = 0;
  uint32_t end = 0;
};

/// Working memory of a thread, kept between calls.
struct ModelScratch {
  std::string bytes;
  std::vector<uint32_t> boundaries;
  std::vector<uint64_t> hashes;
  struct Symbol {
    int32_t id;
    uint32_t begin, end;  // code points
    int32_t previous, next;
    uint32_t rank;  // of the merge with the next symbol
    int32_t merged;
  };
  std::vector<Symbol> symbols;
  struct Candidate {
    uint32_t rank;
    int32_t position;
    int32_t merged;
  };
  std::vector<Candidate> heap;
};

class Model {
 public:
  virtual ~Model() = default;
  /// Appends the tokens of a piece that is not empty. Throws UserError where the model has no token for a part of it.
  virtual void tokenize(std::u32string_view piece, std::vector<ModelToken>& out, ModelScratch& scratch) const = 0;
  const Vocabulary& vocabulary() const { return vocabulary_; }
  /// The id of the unknown token, or Vocabulary::kMissing.
  int32_t unknown_id() const { return unknown_id_; }

 protected:
  Vocabulary vocabulary_;
  int32_t unknown_id_ = Vocabulary::kMissing;
};

/// The member "model" of a tokenizer.json. Throws UserError.
std::unique_ptr<const Model> make_model(const JsonNode& node);

}  // namespace suanli

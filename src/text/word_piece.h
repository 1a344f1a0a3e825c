/// WordPiece: the longest token of the vocabulary that starts the word, then the longest that continues it, and so on.
#pragma once

#include <string>

#include "text/model.h"

namespace suanli {

struct WordPieceOptions {
  std::string unknown_token = "[UNK]";
  std::string continuing_prefix = "##";
  int64_t max_chars_per_word = 100;
};

class WordPiece : public Model {
 public:
  /// Throws UserError (naming `where`) when the vocabulary lacks the unknown token.
  WordPiece(Vocabulary vocabulary, const WordPieceOptions& options, std::string_view where);
  /// One unknown token where the word is longer than max_chars_per_word or a part of it is in no token.
  void tokenize(std::u32string_view piece, std::vector<ModelToken>& out, ModelScratch& scratch) const override;

 private:
  WordPieceOptions options_;
  uint64_t prefix_hash_;
  size_t longest_ = 0;  // bytes of the longest token
};

}  // namespace suanli

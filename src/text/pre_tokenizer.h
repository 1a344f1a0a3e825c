/// What cuts a normalised text into the pieces that the model sees: the member "pre_tokenizer" of a tokenizer.json.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "text/aligned_text.h"

namespace suanli {

class JsonNode;

/// A range of a text: one added token (its id), or a piece for the model (kModel).
struct Piece {
  static constexpr int32_t kModel = -1;
  uint32_t begin = 0;
  uint32_t end = 0;
  int32_t added = kModel;
};

/// A text and its pieces from left to right; what lies between pieces has been dropped.
struct PieceText {
  AlignedText text;
  std::vector<Piece> pieces;
  // Working memory of the pre-tokenizers.
  AlignedText spare_text;
  std::vector<Piece> spare_pieces;
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  /// Cuts every piece that is no added token; leaves no empty piece.
  virtual void apply(PieceText& text) const = 0;
};

/// Cuts at whitespace, which is dropped, and around every punctuation character.
std::unique_ptr<const PreTokenizer> make_bert_pre_tokenizer();

/// Sequence, BertPreTokenizer, ByteLevel, Whitespace, WhitespaceSplit, Punctuation, Digits, CharDelimiterSplit, Split.
/// Throws UserError for any other type or setting.
std::unique_ptr<const PreTokenizer> make_pre_tokenizer(const JsonNode& node);

}  // namespace suanli

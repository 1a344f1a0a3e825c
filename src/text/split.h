/// Cutting pieces at matches, with the five ways of the Hugging Face tokenizers to treat what matched.
#pragma once

#include <string_view>
#include <vector>

#include "text/pre_tokenizer.h"
#include "text/regex.h"

namespace suanli {

enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

/// The behaviour of a name such as "MergedWithPrevious". Throws UserError.
SplitBehavior split_behavior(const JsonNode& node);

/// Appends to `out` the pieces of [begin, end) cut at `matches`, whose positions count from `begin`. Where `invert` is
/// set, what lies between the matches is what matched.
void split_at(uint32_t begin, uint32_t end, const std::vector<Match>& matches, SplitBehavior behavior, bool invert,
              std::vector<Piece>& out);

/// Cuts every piece for the model at what `find(view, matches)` finds in it.
template <class Find>
void split_pieces(PieceText& text, SplitBehavior behavior, bool invert, Find find) {
  text.spare_pieces.clear();
  std::vector<Match> matches;
  for (const Piece& piece : text.pieces) {
    if (piece.added != Piece::kModel) {
      text.spare_pieces.push_back(piece);
      continue;
    }
    matches.clear();
    find(std::u32string_view(text.text.chars).substr(piece.begin, piece.end - piece.begin), matches);
    split_at(piece.begin, piece.end, matches, behavior, invert, text.spare_pieces);
  }
  text.pieces.swap(text.spare_pieces);
}

}  // namespace suanli

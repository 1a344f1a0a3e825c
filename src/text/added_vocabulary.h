/// Tokens that are found in the text before the model sees it: [MASK], <s> and whatever a user added.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/normalizer.h"
#include "text/vocabulary.h"

namespace suanli {

struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool single_word = false;  // not inside a word
  bool lstrip = false;       // takes the whitespace before it
  bool rstrip = false;       // and behind it
  bool normalized = true;    // searched in the normalised text
  bool special = false;      // left out by decode() where asked
};

/// An added token in a text, or (id Vocabulary::kMissing) what lies between two.
struct AddedMatch {
  uint32_t begin = 0;
  uint32_t end = 0;
  int32_t id = Vocabulary::kMissing;
};

class AddedVocabulary {
 public:
  /// Throws UserError (naming `where`) when a token is empty or holds NUL, comes twice, or when its id belongs to
  /// another token. `normalizer` may be null.
  AddedVocabulary(std::vector<AddedToken> tokens, const Vocabulary& model, const Normalizer* normalizer,
                  std::string_view where);

  /// Which of the tokens are searched: those of the raw text, or those of the normalised text.
  enum class In { raw, normalized };
  bool any(In in) const { return !patterns(in).empty(); }
  /// Replaces `out` by a cover of `text` without gaps: the leftmost, then longest tokens, and what lies between.
  void find(std::u32string_view text, In in, std::vector<AddedMatch>& out) const;

  /// The id of an added token, or Vocabulary::kMissing.
  int32_t find_token(std::string_view token) const;
  /// The added token of an id, or null.
  const AddedToken* token(int32_t id) const;
  const std::vector<AddedToken>& tokens() const { return tokens_; }

 private:
  struct Pattern {
    std::u32string text;
    size_t token;  // index in tokens_
  };
  const std::vector<Pattern>& patterns(In in) const { return in == In::raw ? raw_ : normalized_; }
  /// The longest pattern at the start of `text`, or null.
  static const Pattern* longest(const std::vector<Pattern>& patterns, std::u32string_view text);

  std::vector<AddedToken> tokens_;         // in the order of their ids
  std::vector<Pattern> raw_, normalized_;  // sorted by text
  std::vector<size_t> by_content_;         // indices of tokens_, sorted by content
};

}  // namespace suanli

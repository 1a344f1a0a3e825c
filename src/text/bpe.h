/// Byte-pair encoding: a piece starts as its code points, and the pair with the lowest rank is merged until none is
/// left.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text/model.h"

namespace suanli {

struct BpeOptions {
  std::optional<std::string> unknown_token;
  std::string continuing_prefix;   // before every code point of a piece but the first
  std::string end_of_word_suffix;  // behind the last
  bool fuse_unknown = false;       // neighbouring unknown code points become one token
  bool byte_fallback = false;      // an unknown code point becomes its bytes as tokens <0x00> to <0xFF>
  bool ignore_merges = false;      // a piece that is a token is taken as it is
};

class Bpe : public Model {
 public:
  /// `merges` are pairs of tokens in the order of their rank. Throws UserError (naming `where`) when a part or a merged
  /// token is not in the vocabulary.
  Bpe(Vocabulary vocabulary, const std::vector<std::pair<std::string_view, std::string_view>>& merges,
      const BpeOptions& options, std::string_view where);
  void tokenize(std::u32string_view piece, std::vector<ModelToken>& out, ModelScratch& scratch) const override;

 private:
  struct Merge {
    uint64_t pair = kNoPair;
    uint32_t rank = UINT32_MAX;
    int32_t merged = Vocabulary::kMissing;
  };
  static constexpr uint64_t kNoPair = UINT64_MAX;

  const Merge& find_merge(int32_t left, int32_t right) const;
  void add_merge(const Merge& merge);
  int32_t first_symbol(char32_t c, bool first, bool last, std::string& bytes) const;
  bool add_bytes(std::string_view bytes, uint32_t at, ModelScratch& scratch) const;
  void split(std::u32string_view piece, ModelScratch& scratch) const;
  void merge_short(ModelScratch& scratch) const;
  void merge_long(ModelScratch& scratch) const;

  BpeOptions options_;
  std::vector<Merge> merges_;  // open addressing, a power of two
  int shift_ = 64;
  std::array<int32_t, 0x180> small_ = {};  // ids of the first code points; covers the byte-level alphabet
  std::array<int32_t, 256> bytes_ = {};    // ids of <0x00> to <0xFF>
};

}  // namespace suanli

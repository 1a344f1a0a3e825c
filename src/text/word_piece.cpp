#include "text/word_piece.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"
#include "text/utf8.h"

namespace suanli {

WordPiece::WordPiece(Vocabulary vocabulary, const WordPieceOptions& options, std::string_view where)
    : options_(options), prefix_hash_(Vocabulary::kHashSeed) {
  vocabulary_ = std::move(vocabulary);
  unknown_id_ = vocabulary_.find(options_.unknown_token);
  if (unknown_id_ == Vocabulary::kMissing) {
    throw UserError(where, concat("the unknown token '", options_.unknown_token, "' is not in the vocabulary"));
  }
  for (const char byte : options_.continuing_prefix) prefix_hash_ = Vocabulary::hash_step(prefix_hash_, byte);
  for (int32_t id = 0; id < vocabulary_.id_limit(); ++id) longest_ = std::max(longest_, vocabulary_.token(id).size());
}

void WordPiece::tokenize(std::u32string_view piece, std::vector<ModelToken>& out, ModelScratch& scratch) const {
  const auto length = static_cast<uint32_t>(piece.size());
  if (length > static_cast<uint64_t>(options_.max_chars_per_word)) {
    out.push_back({unknown_id_, 0, length});
    return;
  }
  std::string& bytes = scratch.bytes;
  std::vector<uint32_t>& boundaries = scratch.boundaries;  // where code point i starts in bytes
  bytes.clear();
  boundaries.resize(length + 1);
  for (uint32_t i = 0; i < length; ++i) {
    boundaries[i] = static_cast<uint32_t>(bytes.size());
    append_utf8(piece[i], bytes);
  }
  boundaries[length] = static_cast<uint32_t>(bytes.size());

  const size_t before = out.size();
  std::vector<uint64_t>& hashes = scratch.hashes;  // hashes[i]: from the token's start to the end of code point i
  hashes.resize(length);
  for (uint32_t start = 0; start < length;) {
    const std::string_view prefix = start == 0 ? std::string_view() : std::string_view(options_.continuing_prefix);
    uint64_t hash = start == 0 ? Vocabulary::kHashSeed : prefix_hash_;
    uint32_t end = start;
    while (end < length && prefix.size() + boundaries[end + 1] - boundaries[start] <= longest_) {
      for (uint32_t b = boundaries[end]; b < boundaries[end + 1]; ++b) hash = Vocabulary::hash_step(hash, bytes[b]);
      hashes[end++] = hash;
    }
    int32_t id = Vocabulary::kMissing;
    for (; end > start; --end) {
      const std::string_view rest(bytes.data() + boundaries[start], boundaries[end] - boundaries[start]);
      id = vocabulary_.find_hashed(hashes[end - 1], prefix, rest);
      if (id != Vocabulary::kMissing) break;
    }
    if (id == Vocabulary::kMissing) {
      out.resize(before);
      out.push_back({unknown_id_, 0, length});
      return;
    }
    out.push_back({id, start, end});
    start = end;
  }
}

}  // namespace suanli

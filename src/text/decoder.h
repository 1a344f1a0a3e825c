/// From tokens back to text: the member "decoder" of a tokenizer.json.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace suanli {

class JsonNode;

class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Rewrites the tokens; joined, they are the text.
  virtual void apply(std::vector<std::string>& tokens) const = 0;
};

/// Continuing tokens lose `prefix`, all others but the first gain a space; `cleanup` removes spaces before punctuation.
std::unique_ptr<const Decoder> make_word_piece_decoder(std::string prefix, bool cleanup);

/// Sequence, WordPiece, ByteLevel, BPEDecoder, ByteFallback, Fuse, Strip, Replace (of a String). Throws UserError for
/// any other type or setting.
std::unique_ptr<const Decoder> make_decoder(const JsonNode& node);

}  // namespace suanli

/// What puts [CLS] and [SEP] around the tokens: the member "post_processor" of a tokenizer.json.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "text/encoding.h"

namespace suanli {

class JsonNode;

/// The tokens of one text before special tokens are added; memory that is kept between texts.
struct TokenRun {
  std::vector<int32_t> ids;
  std::vector<std::pair<uint32_t, uint32_t>> offsets;
  std::vector<int32_t> word_ids;
  std::vector<std::pair<uint32_t, uint32_t>> spaces;  // whitespace at both ends of the token; empty where nobody asks
  void clear();
  size_t size() const { return ids.size(); }
  /// Keeps `length` tokens: the first, or (Side::left) the last.
  void truncate(size_t length, Side side);
};

/// The order and types of sequences and special tokens.
struct TemplatePiece {
  static constexpr int kSpecial = -1;
  int sequence = kSpecial;   // 0: the text, 1: the second text
  std::vector<int32_t> ids;  // of a special token
  int32_t type = 0;
};

class PostProcessor {
 public:
  /// Nothing is added: the first sequence with type 0, the second with type 1.
  PostProcessor();
  /// [CLS] A [SEP], and [CLS] A [SEP] B [SEP] with type 1 for B and the last [SEP].
  static PostProcessor bert(int32_t cls, int32_t sep);
  /// TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, or a Sequence of ByteLevel and one of the
  /// others. Throws UserError for any other type or setting, and for ids that are not below `id_limit`.
  static PostProcessor from_json(const JsonNode& node, int32_t id_limit);

  /// The number of special tokens around one text or a pair.
  size_t added_tokens(bool pair) const;
  /// True where TokenRun::spaces is needed.
  bool trims_offsets() const { return !trims_.empty(); }
  /// Writes `first` (and `second`, where it is not null) with the special tokens to `out`; changes the runs' offsets.
  void apply(TokenRun& first, TokenRun* second, bool add_special_tokens, Encoding& out) const;

 private:
  void read(const JsonNode& node, int32_t id_limit);
  void read_template(class JsonFields& fields, int32_t id_limit);

  struct Trim {
    bool add_prefix_space;
  };
  std::vector<Trim> trims_;
  std::vector<TemplatePiece> single_, pair_;
  bool has_template_ = false;
};

}  // namespace suanli

/// What rewrites a text before it is cut: the member "normalizer" of a tokenizer.json.
#pragma once

#include <memory>

#include "text/aligned_text.h"

namespace suanli {

class JsonNode;

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(AlignedText& text) const = 0;
};

struct BertNormalizerOptions {
  bool clean_text = true;            // drop control characters, make every whitespace a space
  bool handle_chinese_chars = true;  // spaces around each
  bool strip_accents = true;
  bool lowercase = true;
};
std::unique_ptr<const Normalizer> make_bert_normalizer(const BertNormalizerOptions& options);

/// Sequence, BertNormalizer, Lowercase, NFC, NFD, NFKC, NFKD, StripAccents, Strip, Replace, Prepend. Throws UserError
/// for any other type or setting.
std::unique_ptr<const Normalizer> make_normalizer(const JsonNode& node);

}  // namespace suanli

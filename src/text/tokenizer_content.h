/// What a Tokenizer holds; for the sources of this folder alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "text/added_vocabulary.h"
#include "text/decoder.h"
#include "text/model.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"

namespace suanli {

struct Tokenizer::Content {
  std::unique_ptr<const Normalizer> normalizer;       // null: none
  std::unique_ptr<const PreTokenizer> pre_tokenizer;  // null: none
  std::unique_ptr<const Model> model;
  std::unique_ptr<const AddedVocabulary> added;
  PostProcessor post_processor;
  std::unique_ptr<const Decoder> decoder;  // null: tokens joined by spaces
  SpecialIds special;
  int64_t model_max_length = 0;
  std::optional<EncodeOptions> file_truncation;
  std::optional<PaddingOptions> file_padding;
  std::vector<std::pair<std::string, std::string>> files;  // name and content, for save()

  int32_t find(std::string_view token) const {
    const int32_t id = added->find_token(token);
    return id != Vocabulary::kMissing ? id : model->vocabulary().find(token);
  }
};

/// Fills in what tokenizer.json says. Throws UserError.
void read_tokenizer_json(std::string_view json, std::string_view where, Tokenizer::Content& content);
/// Fills in special from the names in `tokenizer_config` and `special_tokens_map` (JSON texts, "" for none), or else by
/// the names that everybody uses, and model_max_length. Throws UserError.
void read_special_tokens(std::string_view tokenizer_config, std::string_view special_tokens_map, std::string_view where,
                         Tokenizer::Content& content);

}  // namespace suanli

/// Text to token ids and back, as the Hugging Face tokenizers do it, from a tokenizer.json or a BERT vocab.txt.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/encoding.h"

namespace suanli {

/// The ids of the tokens with a meaning to a model, where the tokenizer has them.
struct SpecialIds {
  std::optional<int32_t> cls, sep, pad, mask, unk;
};

/// Copies share their content, which never changes; every member function may be called from many threads at once.
///
/// Input is UTF-8. Invalid sequences are read as U+FFFD, one for each maximal subpart, as Python's
/// bytes.decode("utf-8", "replace") does, and offsets count the code points of the text so read.
class Tokenizer {
 public:
  /// From a folder: tokenizer.json, or else vocab.txt as an (uncased by default) BERT tokenizer; beside it
  /// tokenizer_config.json and special_tokens_map.json where they are. Throws UserError naming the file and what is
  /// missing, malformed or not supported.
  static Tokenizer load(const std::filesystem::path& folder);
  /// From the text of a tokenizer.json; `where` names it in errors. Throws UserError.
  static Tokenizer from_json(std::string_view json, std::string_view where);
  /// From the text of a vocab.txt (one token a line, the id is the line) and of a tokenizer_config.json ("" for none),
  /// of which do_lower_case, strip_accents, tokenize_chinese_chars and the special tokens count. Throws UserError.
  static Tokenizer from_vocabulary(std::string_view vocabulary, std::string_view config, std::string_view where);

  /// The tokens of one text. Throws UserError when options.max_length has no room for the special tokens, when the text
  /// has 2^31 bytes or more, or when the model has no token for a part of it and no unknown token.
  Encoding encode(std::string_view text, const EncodeOptions& options = {}) const;
  /// The tokens of two texts. Throws as encode(), and where only_first or only_second cannot shorten that text enough.
  Encoding encode_pair(std::string_view first, std::string_view second, const EncodeOptions& options = {}) const;
  /// The tokens of words (is_split_into_words of the Hugging Face library): word_ids names the word of each token and
  /// the offsets count from the start of that word.
  Encoding encode_words(std::span<const std::string> words, const EncodeOptions& options = {}) const;
  /// encode() of each text, in order, on the calling thread.
  std::vector<Encoding> encode_batch(std::span<const std::string> texts, const EncodeOptions& options = {}) const;
  /// encode() into an existing encoding, whose memory is used again.
  void encode_into(std::string_view text, const EncodeOptions& options, Encoding& out) const;

  /// The text of tokens; ids that no token has are left out, and so are special tokens where asked.
  std::string decode(std::span<const int32_t> ids, bool skip_special = true) const;

  /// The number of tokens, the added ones included, and one more than the highest id (what an embedding must have).
  int64_t vocab_size() const;
  int64_t id_limit() const;
  std::optional<int32_t> id_of(std::string_view token) const;
  /// The token of an id; empty where no token has it. Valid as long as the tokenizer or a copy of it.
  std::string_view token_of(int32_t id) const;
  const SpecialIds& special_ids() const;
  /// model_max_length of tokenizer_config.json; 0 where it is missing or above 2^31 (its way to say "no limit").
  int64_t model_max_length() const;
  /// What tokenizer.json asks for by itself. encode() does not apply it: the caller says what it wants.
  const std::optional<EncodeOptions>& file_truncation() const;
  const std::optional<PaddingOptions>& file_padding() const;

  /// Writes the files of load() to `folder`, byte for byte as they were read (from_json: tokenizer.json alone).
  /// Throws EnvironmentError.
  void save(const std::filesystem::path& folder) const;

  struct Content;  // of the sources of text/

 private:
  explicit Tokenizer(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
  std::shared_ptr<const Content> content_;
};

}  // namespace suanli

#include "text/tokenizer.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"
#include "text/tokenizer_content.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace suanli {
namespace {

// Working memory of one thread; after a very long text it is given back.
struct Scratch {
  std::u32string original;
  std::vector<AddedMatch> raw_matches, matches;
  PieceText pieces;
  AlignedText part;
  std::vector<ModelToken> tokens;
  ModelScratch model;
  TokenRun first, second;
};
constexpr size_t kKeptCharacters = 1 << 18;

Scratch& scratch_of_thread() {
  static thread_local std::unique_ptr<Scratch> scratch;
  if (!scratch || scratch->original.capacity() > kKeptCharacters ||
      scratch->pieces.text.chars.capacity() > 4 * kKeptCharacters) {
    scratch = std::make_unique<Scratch>();
  }
  return *scratch;
}

bool is_space_symbol(char32_t c) { return c == 0x120 || unicode::is_whitespace(c); }  // 0x120: a space, byte-level

std::pair<uint32_t, uint32_t> spaces_at_ends(std::u32string_view token) {
  uint32_t leading = 0, trailing = 0;
  while (leading < token.size() && is_space_symbol(token[leading])) ++leading;
  while (trailing < token.size() && is_space_symbol(token[token.size() - 1 - trailing])) ++trailing;
  return {leading, trailing};
}

// Tokens of model pieces: most begin and end with an ASCII letter, which settles it.
std::pair<uint32_t, uint32_t> spaces_at_ends(std::string_view token) {
  const auto plain = [](char c) { return c > ' ' && c != 0x7F; };
  if (token.empty() || (plain(token.front()) && plain(token.back()))) return {0, 0};
  return spaces_at_ends(to_code_points(token));
}

// Cuts `original` at the added tokens, normalises what lies between and cuts it at the added tokens of the normalised
// text: scratch.pieces.
void cut_at_added_tokens(const Tokenizer::Content& content, std::u32string_view original, Scratch& scratch) {
  PieceText& out = scratch.pieces;
  out.pieces.clear();
  const bool raw = content.added->any(AddedVocabulary::In::raw);
  const bool normalized = content.added->any(AddedVocabulary::In::normalized);
  if (raw) {
    content.added->find(original, AddedVocabulary::In::raw, scratch.raw_matches);
  } else {
    scratch.raw_matches.assign(original.empty() ? 0 : 1,
                               {0, static_cast<uint32_t>(original.size()), Vocabulary::kMissing});
  }
  if (scratch.raw_matches.size() == 1 && scratch.raw_matches[0].id == Vocabulary::kMissing && !normalized) {
    out.text.assign(original, 0);  // the common case: one piece, without a copy
    if (content.normalizer) content.normalizer->apply(out.text);
    const auto length = static_cast<uint32_t>(out.text.chars.size());
    if (length > 0) out.pieces.push_back({0, length, Piece::kModel});
    return;
  }
  out.text.clear();
  out.text.origin = 0;
  AlignedText& part = scratch.part;
  const auto append = [&](uint32_t begin, uint32_t end, int32_t id) {
    const auto at = static_cast<uint32_t>(out.text.chars.size());
    out.text.chars.append(part.chars, begin, end - begin);
    out.text.spans.insert(out.text.spans.end(), part.spans.begin() + begin, part.spans.begin() + end);
    if (end > begin) out.pieces.push_back({at, at + (end - begin), id});
  };
  for (const AddedMatch& match : scratch.raw_matches) {
    part.assign(original.substr(match.begin, match.end - match.begin), match.begin);
    if (match.id != Vocabulary::kMissing) {
      append(0, match.end - match.begin, match.id);
      continue;
    }
    if (content.normalizer) content.normalizer->apply(part);
    if (normalized) {
      content.added->find(part.chars, AddedVocabulary::In::normalized, scratch.matches);
    } else {
      scratch.matches.assign(1, {0, static_cast<uint32_t>(part.chars.size()), Vocabulary::kMissing});
    }
    for (const AddedMatch& inner : scratch.matches) append(inner.begin, inner.end, inner.id);
  }
}

// Appends the tokens of one text to `run`. `word`: the number that all of them get, or -1 to count the pieces.
void tokenize(const Tokenizer::Content& content, std::string_view text, int32_t word, Scratch& scratch, TokenRun& run) {
  if (text.size() > static_cast<size_t>(INT32_MAX)) {
    throw UserError("tokenizer", concat("expected a text of less than 2^31 bytes, found ", text.size()));
  }
  scratch.original.clear();
  decode_utf8(text, scratch.original);
  cut_at_added_tokens(content, scratch.original, scratch);
  PieceText& pieces = scratch.pieces;
  if (content.pre_tokenizer) content.pre_tokenizer->apply(pieces);
  const std::u32string_view chars = pieces.text.chars;
  const bool trims = content.post_processor.trims_offsets();
  int32_t count = 0;
  for (const Piece& piece : pieces.pieces) {
    const std::u32string_view view = chars.substr(piece.begin, piece.end - piece.begin);
    const int32_t word_id = word >= 0 ? word : count++;
    const CharSpan* spans = pieces.text.spans.data() + piece.begin;
    if (piece.added != Piece::kModel) {
      run.ids.push_back(piece.added);
      run.offsets.emplace_back(spans[0].begin, spans[view.size() - 1].end);
      run.word_ids.push_back(word_id);
      if (trims) run.spaces.push_back(spaces_at_ends(view));
      continue;
    }
    scratch.tokens.clear();
    content.model->tokenize(view, scratch.tokens, scratch.model);
    for (const ModelToken& token : scratch.tokens) {
      run.ids.push_back(token.id);
      run.offsets.emplace_back(spans[token.begin].begin, spans[token.end - 1].end);
      run.word_ids.push_back(word_id);
      if (trims) run.spaces.push_back(spaces_at_ends(content.model->vocabulary().token(token.id)));
    }
  }
}

// How many tokens of each text stay where `total` may: the longer one gives first.
std::pair<size_t, size_t> longest_first(size_t first, size_t second, size_t total) {
  const bool swapped = first > second;
  if (swapped) std::swap(first, second);
  second = first > total ? first : std::max(first, total - first);
  if (first + second > total) {
    first = total / 2;
    second = first + total % 2;
  }
  if (swapped) std::swap(first, second);
  return {first, second};
}

void truncate(const EncodeOptions& options, size_t special, TokenRun& first, TokenRun* second) {
  if (options.max_length < 0 || (options.max_length > 0 && static_cast<size_t>(options.max_length) < special)) {
    throw UserError("tokenizer", concat("max_length ", options.max_length, " has no room for the ", special,
                                        " special tokens: raise it, or switch special tokens off"));
  }
  if (options.max_length == 0) return;
  const size_t room = static_cast<size_t>(options.max_length) - special;
  const size_t total = first.size() + (second == nullptr ? 0 : second->size());
  if (total <= room) return;
  if (options.strategy == TruncationStrategy::longest_first) {
    if (second == nullptr) {
      first.truncate(room, options.truncation_side);
      return;
    }
    const auto [first_length, second_length] = longest_first(first.size(), second->size(), room);
    first.truncate(first_length, options.truncation_side);
    second->truncate(second_length, options.truncation_side);
    return;
  }
  const bool only_first = options.strategy == TruncationStrategy::only_first;
  if (!only_first && second == nullptr) {
    throw UserError("tokenizer", "truncation of the second text alone needs a second text");
  }
  TokenRun& target = only_first ? first : *second;
  if (target.size() <= total - room) {
    throw UserError("tokenizer", concat("the ", only_first ? "first" : "second", " text has ", target.size(),
                                        " tokens, but ", total - room, " must go: use longest_first"));
  }
  target.truncate(target.size() - (total - room), options.truncation_side);
}

void finish(const Tokenizer::Content& content, const EncodeOptions& options, TokenRun& first, TokenRun* second,
            Encoding& out) {
  const size_t special = options.add_special_tokens ? content.post_processor.added_tokens(second != nullptr) : 0;
  truncate(options, special, first, second);
  content.post_processor.apply(first, second, options.add_special_tokens, out);
}

}  // namespace

Encoding Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  Encoding out;
  encode_into(text, options, out);
  return out;
}

void Tokenizer::encode_into(std::string_view text, const EncodeOptions& options, Encoding& out) const {
  Scratch& scratch = scratch_of_thread();
  scratch.first.clear();
  tokenize(*content_, text, -1, scratch, scratch.first);
  finish(*content_, options, scratch.first, nullptr, out);
}

Encoding Tokenizer::encode_pair(std::string_view first, std::string_view second, const EncodeOptions& options) const {
  Scratch& scratch = scratch_of_thread();
  scratch.first.clear();
  scratch.second.clear();
  tokenize(*content_, first, -1, scratch, scratch.first);
  tokenize(*content_, second, -1, scratch, scratch.second);
  Encoding out;
  finish(*content_, options, scratch.first, &scratch.second, out);
  return out;
}

Encoding Tokenizer::encode_words(std::span<const std::string> words, const EncodeOptions& options) const {
  Scratch& scratch = scratch_of_thread();
  scratch.first.clear();
  for (size_t i = 0; i < words.size(); ++i) {
    tokenize(*content_, words[i], static_cast<int32_t>(i), scratch, scratch.first);
  }
  Encoding out;
  finish(*content_, options, scratch.first, nullptr, out);
  return out;
}

std::vector<Encoding> Tokenizer::encode_batch(std::span<const std::string> texts, const EncodeOptions& options) const {
  std::vector<Encoding> out(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) encode_into(texts[i], options, out[i]);
  return out;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::vector<std::string> tokens;
  for (const int32_t id : ids) {
    const AddedToken* added = content_->added->token(id);
    if (skip_special && added != nullptr && added->special) continue;
    if (added != nullptr || content_->model->vocabulary().holds(id)) tokens.emplace_back(token_of(id));
  }
  std::string out;
  if (content_->decoder) {
    content_->decoder->apply(tokens);
    for (const std::string& token : tokens) out += token;
  } else {
    for (size_t i = 0; i < tokens.size(); ++i) out.append(i > 0 ? " " : "").append(tokens[i]);
  }
  return out;
}

int64_t Tokenizer::vocab_size() const {
  const Vocabulary& model = content_->model->vocabulary();
  const auto& added = content_->added->tokens();
  return static_cast<int64_t>(model.size()) +
         std::count_if(added.begin(), added.end(), [&](const AddedToken& token) { return !model.holds(token.id); });
}

int64_t Tokenizer::id_limit() const {
  const auto& added = content_->added->tokens();
  const int64_t model = content_->model->vocabulary().id_limit();
  return added.empty() ? model : std::max(model, int64_t{added.back().id} + 1);
}

std::optional<int32_t> Tokenizer::id_of(std::string_view token) const {
  const int32_t id = content_->find(token);
  return id == Vocabulary::kMissing ? std::nullopt : std::optional(id);
}

std::string_view Tokenizer::token_of(int32_t id) const {
  const AddedToken* added = content_->added->token(id);
  return added != nullptr ? std::string_view(added->content) : content_->model->vocabulary().token(id);
}

const SpecialIds& Tokenizer::special_ids() const { return content_->special; }
int64_t Tokenizer::model_max_length() const { return content_->model_max_length; }
const std::optional<EncodeOptions>& Tokenizer::file_truncation() const { return content_->file_truncation; }
const std::optional<PaddingOptions>& Tokenizer::file_padding() const { return content_->file_padding; }

}  // namespace suanli

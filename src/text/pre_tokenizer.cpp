#include "text/pre_tokenizer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/concat.h"
#include "text/byte_level.h"
#include "text/json_node.h"
#include "text/split.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace suanli {
namespace {

class BertPreTokenizer : public PreTokenizer {
 public:
  void apply(PieceText& text) const override {
    text.spare_pieces.clear();
    for (const Piece& piece : text.pieces) {
      if (piece.added == Piece::kModel) {
        cut(text.text.chars, piece, text.spare_pieces);
      } else {
        text.spare_pieces.push_back(piece);
      }
    }
    text.pieces.swap(text.spare_pieces);
  }

 private:
  static void cut(std::u32string_view chars, const Piece& piece, std::vector<Piece>& out) {
    uint32_t begin = piece.begin;
    for (uint32_t i = piece.begin; i < piece.end; ++i) {
      const bool space = unicode::is_whitespace(chars[i]);
      if (!space && !unicode::is_punctuation(chars[i])) continue;
      if (begin < i) out.push_back({begin, i, Piece::kModel});
      if (!space) out.push_back({i, i + 1, Piece::kModel});
      begin = i + 1;
    }
    if (begin < piece.end) out.push_back({begin, piece.end, Piece::kModel});
  }
};

class ByteLevel : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, bool use_regex) : add_prefix_space_(add_prefix_space), use_regex_(use_regex) {}

  void apply(PieceText& text) const override {
    if (add_prefix_space_) prefix_spaces(text);
    text.spare_text.clear();
    text.spare_text.origin = text.text.origin;
    text.spare_pieces.clear();
    const std::u32string_view chars = text.text.chars;
    for (const Piece& piece : text.pieces) {
      if (piece.added != Piece::kModel) {
        const uint32_t begin = copy(text, piece.begin, piece.end);
        text.spare_pieces.push_back({begin, position(text), piece.added});
        continue;
      }
      const std::u32string_view view = chars.substr(0, piece.end);
      for (size_t at = piece.begin; at < piece.end;) {
        const size_t end = use_regex_ ? gpt2_word_end(view, at) : piece.end;
        const uint32_t begin = position(text);
        for (; at < end; ++at) push_bytes(text, at);
        text.spare_pieces.push_back({begin, position(text), Piece::kModel});
      }
    }
    std::swap(text.text.chars, text.spare_text.chars);
    std::swap(text.text.spans, text.spare_text.spans);
    text.pieces.swap(text.spare_pieces);
  }

 private:
  static uint32_t position(const PieceText& text) { return static_cast<uint32_t>(text.spare_text.chars.size()); }

  static uint32_t copy(PieceText& text, uint32_t begin, uint32_t end) {
    const uint32_t at = position(text);
    for (uint32_t i = begin; i < end; ++i) text.spare_text.push(text.text.chars[i], text.text.spans[i]);
    return at;
  }

  // The bytes of one code point, each with its span.
  static void push_bytes(PieceText& text, size_t at) {
    const char32_t c = text.text.chars[at];
    const CharSpan span = text.text.spans[at];
    if (c < 0x80) {
      text.spare_text.push(byte_symbol(static_cast<unsigned char>(c)), span);
      return;
    }
    std::string bytes;  // at most 4: no allocation
    append_utf8(c, bytes);
    for (const char byte : bytes) text.spare_text.push(byte_symbol(static_cast<unsigned char>(byte)), span);
  }

  // A space before every piece that does not start with one; it shares the span of the piece's first code point.
  static void prefix_spaces(PieceText& text) {
    text.spare_text.clear();
    text.spare_text.origin = text.text.origin;
    for (Piece& piece : text.pieces) {
      const uint32_t at = position(text);
      if (piece.added == Piece::kModel && text.text.chars[piece.begin] != U' ') {
        text.spare_text.push(U' ', text.text.spans[piece.begin]);
      }
      copy(text, piece.begin, piece.end);
      piece.begin = at;
      piece.end = position(text);
    }
    std::swap(text.text.chars, text.spare_text.chars);
    std::swap(text.text.spans, text.spare_text.spans);
  }

  bool add_prefix_space_, use_regex_;
};

// Cuts around every code point for which `test` holds.
class CharacterSplit : public PreTokenizer {
 public:
  using Test = bool (*)(char32_t);
  CharacterSplit(Test test, SplitBehavior behavior) : test_(test), behavior_(behavior) {}
  void apply(PieceText& text) const override {
    split_pieces(text, behavior_, false, [&](std::u32string_view view, std::vector<Match>& matches) {
      for (uint32_t i = 0; i < view.size(); ++i) {
        if (test_(view[i])) matches.push_back({i, i + 1});
      }
    });
  }

 private:
  Test test_;
  SplitBehavior behavior_;
};

class DelimiterSplit : public PreTokenizer {
 public:
  explicit DelimiterSplit(char32_t delimiter) : delimiter_(delimiter) {}
  void apply(PieceText& text) const override {
    split_pieces(text, SplitBehavior::removed, false, [&](std::u32string_view view, std::vector<Match>& matches) {
      for (uint32_t i = 0; i < view.size(); ++i) {
        if (view[i] == delimiter_) matches.push_back({i, i + 1});
      }
    });
  }

 private:
  char32_t delimiter_;
};

// Keeps runs of word characters and runs of other characters that are not whitespace: \w+|[^\w\s]+
class Whitespace : public PreTokenizer {
 public:
  void apply(PieceText& text) const override {
    split_pieces(text, SplitBehavior::removed, true, [&](std::u32string_view view, std::vector<Match>& matches) {
      for (uint32_t i = 0; i < view.size();) {
        const uint32_t begin = i;
        const Kind kind = kind_of(view[i]);
        while (i < view.size() && kind_of(view[i]) == kind) ++i;
        if (kind != Kind::space) matches.push_back({begin, i});
      }
    });
  }

 private:
  enum class Kind { word, space, other };
  static Kind kind_of(char32_t c) {
    if (unicode::is_word(c)) return Kind::word;
    return unicode::is_whitespace(c) ? Kind::space : Kind::other;
  }
};

class PatternSplit : public PreTokenizer {
 public:
  PatternSplit(Regex pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}
  void apply(PieceText& text) const override {
    split_pieces(text, behavior_, invert_,
                 [&](std::u32string_view view, std::vector<Match>& matches) { pattern_.find_all(view, matches); });
  }

 private:
  Regex pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

class PreTokenizerSequence : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<const PreTokenizer>> parts) : parts_(std::move(parts)) {}
  void apply(PieceText& text) const override {
    for (const auto& part : parts_) part->apply(text);
  }

 private:
  std::vector<std::unique_ptr<const PreTokenizer>> parts_;
};

std::unique_ptr<const PreTokenizer> make_split(JsonFields& fields) {
  const JsonNode pattern = fields.need("pattern");
  JsonFields kinds = pattern.fields();
  const std::optional<JsonNode> literal = kinds.take("String"), expression = kinds.take("Regex");
  kinds.finish();
  if (literal.has_value() == expression.has_value()) pattern.fail("expected one of 'String' and 'Regex'");
  const JsonNode& source = literal ? *literal : *expression;
  if (source.string().empty()) source.fail("an empty pattern cannot split");
  const SplitBehavior behavior = split_behavior(fields.need("behavior"));
  return std::make_unique<PatternSplit>(
      literal ? Regex::literal(literal->string(), source.path()) : Regex(expression->string(), source.path()), behavior,
      fields.boolean_or("invert", false));
}

}  // namespace

std::unique_ptr<const PreTokenizer> make_bert_pre_tokenizer() { return std::make_unique<BertPreTokenizer>(); }

std::unique_ptr<const PreTokenizer> make_pre_tokenizer(const JsonNode& node) {
  JsonFields fields = node.fields();
  const JsonNode type_node = fields.need("type");
  const std::string_view type = type_node.string();
  std::unique_ptr<const PreTokenizer> out;
  if (type == "Sequence") {
    std::vector<std::unique_ptr<const PreTokenizer>> parts;
    for (const JsonNode& part : fields.need("pretokenizers").items()) parts.push_back(make_pre_tokenizer(part));
    out = std::make_unique<PreTokenizerSequence>(std::move(parts));
  } else if (type == "BertPreTokenizer") {
    out = make_bert_pre_tokenizer();
  } else if (type == "ByteLevel") {
    const bool add_prefix_space = fields.boolean_or("add_prefix_space", true);
    fields.boolean_or("trim_offsets", true);  // the post-processor's
    out = std::make_unique<ByteLevel>(add_prefix_space, fields.boolean_or("use_regex", true));
  } else if (type == "Whitespace") {
    out = std::make_unique<Whitespace>();
  } else if (type == "WhitespaceSplit") {
    out = std::make_unique<CharacterSplit>(unicode::is_whitespace, SplitBehavior::removed);
  } else if (type == "Punctuation") {
    const std::optional<JsonNode> behavior = fields.take("behavior");
    out = std::make_unique<CharacterSplit>(unicode::is_punctuation,
                                           behavior ? split_behavior(*behavior) : SplitBehavior::isolated);
  } else if (type == "Digits") {
    const bool individual = fields.boolean_or("individual_digits", false);
    out = std::make_unique<CharacterSplit>(unicode::is_numeric,
                                           individual ? SplitBehavior::isolated : SplitBehavior::contiguous);
  } else if (type == "CharDelimiterSplit") {
    const JsonNode delimiter = fields.need("delimiter");
    const std::u32string characters = to_code_points(delimiter.string());
    if (characters.size() != 1) delimiter.fail("expected one character");
    out = std::make_unique<DelimiterSplit>(characters[0]);
  } else if (type == "Split") {
    out = make_split(fields);
  } else {
    type_node.fail(concat("the pre-tokenizer '", type, "' is not supported"));
  }
  fields.finish();
  return out;
}

}  // namespace suanli

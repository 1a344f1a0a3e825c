#include "text/decoder.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/concat.h"
#include "base/utf8.h"
#include "text/byte_level.h"
#include "text/json_node.h"
#include "text/utf8.h"

namespace suanli {
namespace {

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (;;) {
    const size_t at = text.find(from);
    out.append(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    out.append(to);
    text.remove_prefix(at + from.size());
  }
}

class WordPieceDecoder : public Decoder {
 public:
  WordPieceDecoder(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      std::string& token = tokens[i];
      if (i > 0) token = token.starts_with(prefix_) ? token.substr(prefix_.size()) : " " + token;
      if (cleanup_) clean(token);
    }
  }

 private:
  static void clean(std::string& token) {
    constexpr std::pair<std::string_view, std::string_view> kRules[] = {
        {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
        {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (const auto& [from, to] : kRules) {
      if (token.find(from) != std::string::npos) token = replace_all(token, from, to);
    }
  }

  std::string prefix_;
  bool cleanup_;
};

class ByteLevelDecoder : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) {
      const size_t before = bytes.size();
      for (const char32_t c : to_code_points(token)) {
        const std::optional<unsigned char> byte = symbol_byte(c);
        if (!byte) {  // not of the byte alphabet: taken as it is
          bytes.resize(before);
          bytes += token;
          break;
        }
        bytes.push_back(static_cast<char>(*byte));
      }
    }
    tokens = {to_utf8(to_code_points(bytes))};  // U+FFFD for what is no UTF-8
  }
};

class BpeDecoder : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = replace_all(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
    }
  }

 private:
  std::string suffix_;
};

class ByteFallbackDecoder : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::vector<std::string> out;
    std::string bytes;
    const auto flush = [&] {
      if (find_invalid_utf8(bytes) == std::string_view::npos) {
        if (!bytes.empty()) out.push_back(bytes);
      } else {
        out.insert(out.end(), bytes.size(), "\xEF\xBF\xBD");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const std::optional<char> byte = byte_of(token)) {
        bytes.push_back(*byte);
      } else {
        flush();
        out.push_back(std::move(token));
      }
    }
    flush();
    tokens = std::move(out);
  }

 private:
  // The byte of a token such as <0x0A>.
  static std::optional<char> byte_of(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, value, 16);
    if (error != std::errc() || end != token.data() + 5) return std::nullopt;
    return static_cast<char>(static_cast<unsigned char>(value));
  }
};

class FuseDecoder : public Decoder {
 public:
  void apply(std::vector<std::string>& tokens) const override {
    std::string all;
    for (const std::string& token : tokens) all += token;
    tokens = {std::move(all)};
  }
};

class StripDecoder : public Decoder {
 public:
  StripDecoder(char32_t content, size_t start, size_t stop) : content_(content), start_(start), stop_(stop) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      const std::u32string chars = to_code_points(token);
      size_t begin = 0, end = chars.size();
      while (begin < std::min(start_, chars.size()) && chars[begin] == content_) ++begin;
      while (chars.size() - end < stop_ && end > begin && chars[end - 1] == content_) --end;
      token = to_utf8(std::u32string_view(chars).substr(begin, end - begin));
    }
  }

 private:
  char32_t content_;
  size_t start_, stop_;
};

class ReplaceDecoder : public Decoder {
 public:
  ReplaceDecoder(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) token = replace_all(token, from_, to_);
  }

 private:
  std::string from_, to_;
};

class DecoderSequence : public Decoder {
 public:
  explicit DecoderSequence(std::vector<std::unique_ptr<const Decoder>> parts) : parts_(std::move(parts)) {}
  void apply(std::vector<std::string>& tokens) const override {
    for (const auto& part : parts_) part->apply(tokens);
  }

 private:
  std::vector<std::unique_ptr<const Decoder>> parts_;
};

std::unique_ptr<const Decoder> make_strip(JsonFields& fields) {
  const JsonNode content = fields.need("content");
  const std::u32string chars = to_code_points(content.string());
  if (chars.size() != 1) content.fail("expected one character");
  const auto start = static_cast<size_t>(fields.need("start").integer(0, INT32_MAX));
  return std::make_unique<StripDecoder>(chars[0], start,
                                        static_cast<size_t>(fields.need("stop").integer(0, INT32_MAX)));
}

std::unique_ptr<const Decoder> make_replace_decoder(JsonFields& fields) {
  const JsonNode pattern = fields.need("pattern");
  JsonFields kinds = pattern.fields();
  const std::string from = kinds.string_or("String", "");
  if (from.empty()) pattern.fail("only a pattern {\"String\": ...} is supported in a decoder");
  kinds.finish();
  return std::make_unique<ReplaceDecoder>(from, std::string(fields.need("content").string()));
}

}  // namespace

std::unique_ptr<const Decoder> make_word_piece_decoder(std::string prefix, bool cleanup) {
  return std::make_unique<WordPieceDecoder>(std::move(prefix), cleanup);
}

std::unique_ptr<const Decoder> make_decoder(const JsonNode& node) {
  JsonFields fields = node.fields();
  const JsonNode type_node = fields.need("type");
  const std::string_view type = type_node.string();
  std::unique_ptr<const Decoder> out;
  if (type == "Sequence") {
    std::vector<std::unique_ptr<const Decoder>> parts;
    for (const JsonNode& part : fields.need("decoders").items()) parts.push_back(make_decoder(part));
    out = std::make_unique<DecoderSequence>(std::move(parts));
  } else if (type == "WordPiece") {
    const std::string prefix(fields.need("prefix").string());
    out = make_word_piece_decoder(prefix, fields.boolean_or("cleanup", true));
  } else if (type == "ByteLevel") {
    for (const char* unused : {"add_prefix_space", "trim_offsets", "use_regex"}) fields.boolean_or(unused, true);
    out = std::make_unique<ByteLevelDecoder>();
  } else if (type == "BPEDecoder") {
    const std::string suffix = fields.string_or("suffix", "</w>");
    if (suffix.empty()) node.fail("\"suffix\" must not be empty");
    out = std::make_unique<BpeDecoder>(suffix);
  } else if (type == "ByteFallback") {
    out = std::make_unique<ByteFallbackDecoder>();
  } else if (type == "Fuse") {
    out = std::make_unique<FuseDecoder>();
  } else if (type == "Strip") {
    out = make_strip(fields);
  } else if (type == "Replace") {
    out = make_replace_decoder(fields);
  } else {
    type_node.fail(concat("the decoder '", type, "' is not supported"));
  }
  fields.finish();
  return out;
}

}  // namespace suanli

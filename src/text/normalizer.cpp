#include "text/normalizer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/concat.h"
#include "text/json_node.h"
#include "text/regex.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace suanli {
namespace {

class BertNormalizer : public Normalizer {
 public:
  explicit BertNormalizer(const BertNormalizerOptions& options) : options_(options) {}

  void apply(AlignedText& text) const override {
    bool ascii = true, chinese = false;
    for (const char32_t c : text.chars) {
      ascii = ascii && c < 0x80;
      chinese = chinese || unicode::is_chinese(c);
    }
    if (options_.clean_text) {
      text.filter([](char32_t c) { return c != 0 && c != 0xFFFD && !unicode::is_control(c); });
      for (char32_t& c : text.chars) c = unicode::is_whitespace(c) ? U' ' : c;
    }
    if (options_.handle_chinese_chars && chinese) space_chinese(text);
    if (options_.strip_accents && !ascii) {
      unicode::normalize(text, unicode::Form::nfd);
      text.filter([](char32_t c) { return !unicode::is_nonspacing_mark(c); });
    }
    if (options_.lowercase) unicode::lowercase(text);
  }

 private:
  static void space_chinese(AlignedText& text) {
    auto& changes = text.changes();
    for (const char32_t c : text.chars) {
      if (unicode::is_chinese(c)) {
        changes.insert(changes.end(), {{U' ', 0}, {c, 1}, {U' ', 1}});
      } else {
        changes.push_back({c, 0});
      }
    }
    text.apply_changes();
  }

  BertNormalizerOptions options_;
};

class Lowercase : public Normalizer {
 public:
  void apply(AlignedText& text) const override { unicode::lowercase(text); }
};

class UnicodeForm : public Normalizer {
 public:
  explicit UnicodeForm(unicode::Form form) : form_(form) {}
  void apply(AlignedText& text) const override { unicode::normalize(text, form_); }

 private:
  unicode::Form form_;
};

class StripAccents : public Normalizer {
 public:
  void apply(AlignedText& text) const override {
    text.filter([](char32_t c) { return !unicode::is_mark(c); });
  }
};

class Strip : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  void apply(AlignedText& text) const override {
    size_t begin = 0, end = text.chars.size();
    while (right_ && end > 0 && unicode::is_whitespace(text.chars[end - 1])) --end;
    while (left_ && begin < end && unicode::is_whitespace(text.chars[begin])) ++begin;
    size_t position = 0;
    text.filter([&](char32_t) {
      const size_t at = position++;
      return at >= begin && at < end;
    });
  }

 private:
  bool left_, right_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::u32string prefix) : prefix_(std::move(prefix)) {}
  void apply(AlignedText& text) const override {
    if (text.chars.empty() || prefix_.empty()) return;
    auto& changes = text.changes();  // all of the prefix and the first code point share the span of the latter
    for (const char32_t c : prefix_) changes.push_back({c, changes.empty() ? 0 : 1});
    changes.push_back({text.chars[0], 1});
    for (size_t i = 1; i < text.chars.size(); ++i) changes.push_back({text.chars[i], 0});
    text.apply_changes();
  }

 private:
  std::u32string prefix_;
};

class Replace : public Normalizer {
 public:
  Replace(Regex pattern, std::u32string content) : pattern_(std::move(pattern)), content_(std::move(content)) {}

  void apply(AlignedText& text) const override {
    std::vector<Match> matches;
    pattern_.find_all(text.chars, matches);
    if (matches.empty()) return;
    AlignedText out;
    out.origin = text.origin;
    size_t copied = 0;
    const auto copy_to = [&](size_t end) {
      for (; copied < end; ++copied) out.push(text.chars[copied], text.spans[copied]);
    };
    for (const Match& match : matches) {
      copy_to(match.begin);
      // Every new code point takes the span of the last one that it replaces.
      const CharSpan span = match.end == 0 ? CharSpan{text.origin, text.origin} : text.spans[match.end - 1];
      for (const char32_t c : content_) out.push(c, span);
      copied = match.end;
    }
    copy_to(text.chars.size());
    text.chars.swap(out.chars);
    text.spans.swap(out.spans);
  }

 private:
  Regex pattern_;
  std::u32string content_;
};

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<const Normalizer>> parts) : parts_(std::move(parts)) {}
  void apply(AlignedText& text) const override {
    for (const auto& part : parts_) part->apply(text);
  }

 private:
  std::vector<std::unique_ptr<const Normalizer>> parts_;
};

std::unique_ptr<const Normalizer> make_replace_normalizer(JsonFields& fields) {
  const JsonNode pattern = fields.need("pattern");
  const JsonNode content = fields.need("content");
  JsonFields kinds = pattern.fields();
  const std::optional<JsonNode> literal = kinds.take("String"), expression = kinds.take("Regex");
  kinds.finish();
  if (literal.has_value() == expression.has_value()) pattern.fail("expected one of 'String' and 'Regex'");
  const JsonNode& source = literal ? *literal : *expression;
  if (source.string().empty()) source.fail("an empty pattern cannot be replaced");
  if (expression && content.string().find('$') != std::string_view::npos) {
    content.fail("references to groups ('$') are not supported");
  }
  return std::make_unique<Replace>(
      literal ? Regex::literal(literal->string(), source.path()) : Regex(expression->string(), source.path()),
      to_code_points(content.string()));
}

}  // namespace

std::unique_ptr<const Normalizer> make_bert_normalizer(const BertNormalizerOptions& options) {
  return std::make_unique<BertNormalizer>(options);
}

std::unique_ptr<const Normalizer> make_normalizer(const JsonNode& node) {
  JsonFields fields = node.fields();
  const JsonNode type_node = fields.need("type");
  const std::string_view type = type_node.string();
  std::unique_ptr<const Normalizer> out;
  if (type == "Sequence") {
    std::vector<std::unique_ptr<const Normalizer>> parts;
    for (const JsonNode& part : fields.need("normalizers").items()) parts.push_back(make_normalizer(part));
    out = std::make_unique<NormalizerSequence>(std::move(parts));
  } else if (type == "BertNormalizer") {
    BertNormalizerOptions options;
    options.clean_text = fields.boolean_or("clean_text", true);
    options.handle_chinese_chars = fields.boolean_or("handle_chinese_chars", true);
    options.lowercase = fields.boolean_or("lowercase", true);
    options.strip_accents = fields.boolean_or("strip_accents", options.lowercase);
    out = make_bert_normalizer(options);
  } else if (type == "Lowercase") {
    out = std::make_unique<Lowercase>();
  } else if (type == "NFC") {
    out = std::make_unique<UnicodeForm>(unicode::Form::nfc);
  } else if (type == "NFD") {
    out = std::make_unique<UnicodeForm>(unicode::Form::nfd);
  } else if (type == "NFKC") {
    out = std::make_unique<UnicodeForm>(unicode::Form::nfkc);
  } else if (type == "NFKD") {
    out = std::make_unique<UnicodeForm>(unicode::Form::nfkd);
  } else if (type == "StripAccents") {
    out = std::make_unique<StripAccents>();
  } else if (type == "Strip") {
    const bool left = fields.need("strip_left").boolean();
    out = std::make_unique<Strip>(left, fields.need("strip_right").boolean());
  } else if (type == "Prepend") {
    out = std::make_unique<Prepend>(to_code_points(fields.need("prepend").string()));
  } else if (type == "Replace") {
    out = make_replace_normalizer(fields);
  } else {
    type_node.fail(concat("the normalizer '", type, "' is not supported"));
  }
  fields.finish();
  return out;
}

}  // namespace suanli

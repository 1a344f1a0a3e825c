#include "text/chat_template.h"

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "text/template_expression.h"

namespace suanli {

/// A part of a template: text as it is, a value, or a block with parts within.
struct TemplatePart {
  enum class Kind : uint8_t { text, value, choice, loop, assignment };
  Kind kind = Kind::text;
  std::string name = {};        ///< what a loop or an assignment names
  std::string expression = {};  ///< or the text itself
  std::vector<TemplatePart> body = {}, otherwise = {};
};

namespace {

using Part = TemplatePart;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Cuts a template into text and tags.
class Parser {
 public:
  Parser(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  std::vector<Part> whole() {
    std::vector<Part> parts = until_block_ends(0);
    if (!closing_.empty()) fail(closing_);
    return parts;
  }

 private:
  static constexpr int kMostDepth = 16;

  [[noreturn]] void fail(std::string_view tag) const {
    throw UserError(where_, concat("expected a chat template of if, for and set, got {% ", tag, " %}"));
  }

  static std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
  }

  /// Text up to the next tag, without the white space that the tag takes away.
  void add_text(std::vector<Part>& parts, std::string_view text, bool block, bool minus) const {
    if (minus) {
      while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    } else if (block) {  // lstrip_blocks: what stands before a block on its line
      std::string_view cut = text;
      while (!cut.empty() && (cut.back() == ' ' || cut.back() == '\t')) cut.remove_suffix(1);
      if (cut.empty() ? at_line_start_ : cut.back() == '\n') text = cut;
    }
    if (!text.empty()) parts.push_back({.expression = std::string(text)});
  }

  /// The next tag's inside, after the text before it; false at the end. `kind`: '{', '%' or '#'.
  bool next_tag(std::vector<Part>& parts, char& kind, std::string_view& inside) {
    size_t open = text_.find('{', at_);
    while (open != std::string_view::npos && open + 1 < text_.size() && text_[open + 1] != '{' &&
           text_[open + 1] != '%' && text_[open + 1] != '#') {
      open = text_.find('{', open + 1);
    }
    if (open == std::string_view::npos || open + 1 >= text_.size()) {
      add_text(parts, text_.substr(at_), false, false);
      at_ = text_.size();
      return false;
    }
    kind = text_[open + 1];
    const std::string_view close = kind == '{' ? "}}" : kind == '%' ? "%}" : "#}";
    const size_t end = text_.find(close, open + 2);
    if (end == std::string_view::npos) throw UserError(where_, concat("expected ", close, " behind character ", open));
    inside = text_.substr(open + 2, end - open - 2);
    const bool before = inside.starts_with('-'), after = inside.ends_with('-');
    add_text(parts, text_.substr(at_, open - at_), kind != '{', before);
    if (before) inside.remove_prefix(1);
    if (after && !inside.empty()) inside.remove_suffix(1);
    inside = trimmed(inside);
    at_ = end + 2;
    if (after) {
      while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    } else if (kind != '{' && at_ < text_.size() && text_[at_] == '\n') {
      ++at_;  // trim_blocks
    }
    at_line_start_ = at_ > 0 && text_[at_ - 1] == '\n';
    return true;
  }

  /// The parts up to a tag that ends or divides a block; closing_ is then its text.
  std::vector<Part> until_block_ends(int depth) {
    if (depth > kMostDepth) throw UserError(where_, concat("expected at most ", kMostDepth, " blocks within blocks"));
    std::vector<Part> parts;
    closing_ = {};
    char kind = 0;
    std::string_view inside;
    while (next_tag(parts, kind, inside)) {
      if (kind == '#') continue;
      if (kind == '{') {
        parts.push_back({.kind = Part::Kind::value, .expression = std::string(inside)});
      } else if (inside.starts_with("if ")) {
        parts.push_back(choice(inside.substr(3), depth));
      } else if (inside.starts_with("for ")) {
        parts.push_back(loop(inside.substr(4), depth));
      } else if (inside.starts_with("set ")) {
        parts.push_back(named(Part::Kind::assignment, inside.substr(4), "="));
      } else if (inside == "else" || inside == "endif" || inside == "endfor" || inside.starts_with("elif ")) {
        closing_ = inside;
        return parts;
      } else {
        fail(inside);
      }
    }
    return parts;
  }

  Part choice(std::string_view condition, int depth) {
    Part part = {.kind = Part::Kind::choice, .expression = std::string(trimmed(condition))};
    part.body = until_block_ends(depth + 1);
    if (closing_.starts_with("elif ")) {
      const std::string_view next = closing_.substr(5);
      part.otherwise.push_back(choice(next, depth + 1));
      return part;  // that one has taken the endif
    }
    if (closing_ == "else") part.otherwise = until_block_ends(depth + 1);
    if (closing_ != "endif") fail("if");
    closing_ = {};
    return part;
  }

  Part loop(std::string_view header, int depth) {
    Part part = named(Part::Kind::loop, header, " in ");
    part.body = until_block_ends(depth + 1);
    if (closing_ != "endfor") fail("for");
    closing_ = {};
    return part;
  }

  Part named(Part::Kind kind, std::string_view text, std::string_view separator) const {
    const size_t at = text.find(separator);
    if (at == std::string_view::npos) fail(text);
    return {.kind = kind,
            .name = std::string(trimmed(text.substr(0, at))),
            .expression = std::string(trimmed(text.substr(at + separator.size())))};
  }

  std::string_view text_, where_, closing_;
  size_t at_ = 0;
  bool at_line_start_ = true;
};

}  // namespace

struct ChatTemplate::Content {
  std::vector<TemplatePart> parts;
  std::string where, bos, eos;

  void write(const std::vector<Part>& of, TemplateNames& names, std::string& out) const {
    for (const Part& part : of) {
      switch (part.kind) {
        case Part::Kind::text:
          out += part.expression;
          break;
        case Part::Kind::value:
          out += text_of(evaluate_expression(part.expression, names, where));
          break;
        case Part::Kind::choice:
          write(is_true(evaluate_expression(part.expression, names, where)) ? part.body : part.otherwise, names, out);
          break;
        case Part::Kind::assignment:
          names[part.name] = evaluate_expression(part.expression, names, where);
          break;
        case Part::Kind::loop:
          write_loop(part, names, out);
          break;
      }
    }
  }

  void write_loop(const Part& part, const TemplateNames& names, std::string& out) const {
    const Json list = evaluate_expression(part.expression, names, where);
    if (!list.is_array()) throw UserError(where, concat("expected a list to loop over, got ", part.expression));
    for (size_t i = 0; i < list.size(); ++i) {
      TemplateNames within = names;  // what a loop sets is gone behind it
      within[part.name] = list[i];
      within["loop"] = {{"first", i == 0}, {"last", i + 1 == list.size()}, {"index0", i}, {"index", i + 1}};
      write(part.body, within, out);
    }
  }
};

ChatTemplate ChatTemplate::parse(std::string_view text, std::string_view where, std::string bos, std::string eos) {
  auto content = std::make_shared<Content>();
  content->parts = Parser(text, where).whole();
  content->where = where;
  content->bos = std::move(bos);
  content->eos = std::move(eos);
  return ChatTemplate(content);
}

ChatTemplate ChatTemplate::load(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "tokenizer_config.json", own = folder / "chat_template.jinja";
  const Json config = std::filesystem::exists(file) ? read_json(file) : Json::object();
  const auto token = [&](const char* name) {
    const Json& value = config.contains(name) ? config[name] : Json();
    if (value.is_object() && value.contains("content")) return text_of(value["content"]);
    return value.is_string() ? text_of(value) : std::string();
  };
  if (std::filesystem::exists(own)) {
    return parse(read_file(own, uint64_t{1} << 20), own.string(), token("bos_token"), token("eos_token"));
  }
  if (!config.contains("chat_template") || !config["chat_template"].is_string()) {
    throw UserError(file.string(), "expected a \"chat_template\", got none; leave out chat for a model without one");
  }
  return parse(text_of(config["chat_template"]), file.string(), token("bos_token"), token("eos_token"));
}

std::string ChatTemplate::apply(const std::vector<ChatMessage>& messages, bool add_generation_prompt) const {
  Json list = Json::array();
  for (const ChatMessage& message : messages) list.push_back({{"role", message.role}, {"content", message.content}});
  TemplateNames names = {{"messages", list},
                         {"add_generation_prompt", add_generation_prompt},
                         {"bos_token", content_->bos},
                         {"eos_token", content_->eos}};
  std::string out;
  content_->write(content_->parts, names, out);
  return out;
}

}  // namespace suanli

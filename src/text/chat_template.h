/// Chat templates: the part of Jinja that the templates of models use.
///
/// {{ expression }}, {% if %}, {% elif %}, {% else %}, {% for x in list %}, {% set x = expression %}, {# comment #} and
/// '-' for white space, with trim_blocks and lstrip_blocks as transformers sets them. Expressions: strings, integers,
/// true, false, none, names, x.y, x['y'], x[0], +, ==, !=, in, not, and, or, "is [not] defined", parentheses, the
/// filter trim, loop.first, .last, .index, .index0, and raise_exception(text). What is not there counts as undefined.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace suanli {

struct ChatMessage {
  std::string role, content;
};

/// Copies share their content, which never changes.
class ChatTemplate {
 public:
  /// Throws UserError naming `where` for what is not of that part of Jinja. `bos` and `eos` are the tokens' texts.
  static ChatTemplate parse(std::string_view text, std::string_view where, std::string bos = "", std::string eos = "");
  /// "chat_template" of tokenizer_config.json, or chat_template.jinja beside it. Throws UserError where there is none.
  static ChatTemplate load(const std::filesystem::path& folder);
  /// The text of a conversation, with the beginning of an answer where asked. Throws UserError when the template raises
  /// one.
  std::string apply(const std::vector<ChatMessage>& messages, bool add_generation_prompt) const;

  struct Content;  // of the source file

 private:
  explicit ChatTemplate(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
  std::shared_ptr<const Content> content_;
};

}  // namespace suanli

// Chat templates: the texts that jinja2 gives with trim_blocks and lstrip_blocks.
#include "text/chat_template.h"

#include <gtest/gtest.h>

#include "expect_error.h"

namespace suanli {
namespace {

std::string conversation(std::string_view text, const std::vector<ChatMessage>& messages, bool prompt = false) {
  return ChatTemplate::parse(text, "test", "<s>", "</s>").apply(messages, prompt);
}
const std::vector<ChatMessage> kHello = {{"user", "Hello"}};

// The template of SmolLM2-Instruct (Apache-2.0).
constexpr const char* kSmol =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou "
    "are "
    "a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + "
    "message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ "
    "'<|im_start|>assistant\n' }}{% endif %}";

TEST(ChatTemplate, WritesTheConversationOfSmolLm2) {
  EXPECT_EQ(conversation(kSmol, kHello, true),
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
            "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(conversation(kSmol, {{"system", "Be brief."}, {"user", "Hi"}}),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n");
}

TEST(ChatTemplate, ExpressionsAndBlocks) {
  EXPECT_EQ(conversation(
                "{{ bos_token }}{% for m in messages %}{{ loop.index }}{{ m.role | trim }};{% endfor %}{{ eos_token }}",
                {{" a ", ""}, {"b", ""}}),
            "<s>1a;2b;</s>");
  EXPECT_EQ(
      conversation("{% if tools is defined %}x{% elif messages[-1].role == 'user' %}y{% else %}z{% endif %}", kHello),
      "y");
  EXPECT_EQ(conversation("{% set n = 1 + 2 %}{{ n }}{{ 'el' in messages[0]['content'] }}{{ not n }}", kHello),
            "3TrueFalse");
  EXPECT_EQ(conversation("a  {%- if true -%}  b  {%- endif %} c", kHello), "ab c") << "white space that '-' takes away";
  EXPECT_EQ(conversation("x\n  {% if true %}\ny\n  {% endif %}\nz", kHello), "x\ny\nz")
      << "trim_blocks and lstrip_blocks";
  EXPECT_EQ(conversation("{# nothing #}{{ missing }}", kHello), "");
}

TEST(ChatTemplate, ErrorsAreTheUsersWithTheReason) {
  EXPECT_NE(error_of([] { conversation("{{ raise_exception('no system role') }}", kHello); }).find("no system role"),
            std::string::npos);
  for (const char* bad :
       {"{% if x %}", "{% for m messages %}{% endfor %}", "{% macro f() %}", "{{ 'a }}", "{{ a b }}", "{{",
        "{% endif %}", "{{ ((((((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))))) }}"}) {
    EXPECT_THROW(conversation(bad, kHello), UserError) << bad;
  }
}

}  // namespace
}  // namespace suanli

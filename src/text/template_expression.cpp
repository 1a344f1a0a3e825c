#include "text/template_expression.h"

#include <algorithm>
#include <cctype>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {

namespace {

constexpr int kMostDepth = 32;

/// Recursive descent over the text: value and syntax in one pass.
class Expression {
 public:
  Expression(std::string_view text, const TemplateNames& names, std::string_view where)
      : text_(text), names_(names), where_(where) {}

  Json whole() {
    Json value = either();
    space();
    if (at_ != text_.size()) fail();
    return value;
  }

 private:
  [[noreturn]] void fail() const {
    throw UserError(where_, concat("expected an expression of a chat template, got \"", text_,
                                   "\", which is not supported "
                                   "at character ",
                                   at_));
  }

  void space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool take(std::string_view symbol) {
    space();
    if (!text_.substr(at_).starts_with(symbol)) return false;
    at_ += symbol.size();
    return true;
  }
  static bool of_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
  std::string_view peek_word() {
    space();
    size_t end = at_;
    while (end < text_.size() && of_word(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  bool take_word(std::string_view word) {
    if (peek_word() != word) return false;
    at_ += word.size();
    return true;
  }

  Json either() {
    if (++depth_ > kMostDepth) fail();
    Json value = both();
    while (take_word("or")) {
      Json right = both();
      if (!is_true(value)) value = std::move(right);
    }
    --depth_;
    return value;
  }
  Json both() {
    Json value = negated();
    while (take_word("and")) {
      Json right = negated();
      if (is_true(value)) value = std::move(right);
    }
    return value;
  }
  Json negated() {
    bool inverted = false;
    while (take_word("not")) inverted = !inverted;
    Json value = comparison();
    return inverted ? Json(!is_true(value)) : value;
  }

  Json comparison() {
    Json left = sum();
    if (take("==")) return left == sum();
    if (take("!=")) return left != sum();
    if (take_word("in")) return contains(sum(), left);
    if (take_word("is")) {
      const bool inverted = take_word("not");
      const bool none = take_word("none");
      if (!none && !take_word("defined")) fail();
      return left.is_null() != (inverted != !none);
    }
    return left;
  }
  static bool contains(const Json& in, const Json& value) {
    if (in.is_string() && value.is_string())
      return in.get<std::string>().find(value.get<std::string>()) != std::string::npos;
    if (in.is_object() && value.is_string()) return in.contains(value.get<std::string>());
    return in.is_array() && std::ranges::count(in, value) > 0;
  }

  Json sum() {
    Json value = filtered();
    while (take("+")) {
      const Json right = filtered();
      if (value.is_number_integer() && right.is_number_integer()) {
        value = value.get<int64_t>() + right.get<int64_t>();
      } else {
        value = text_of(value) + text_of(right);
      }
    }
    return value;
  }

  Json filtered() {
    Json value = member();
    while (take("|")) {
      if (!take_word("trim")) fail();
      std::string text = text_of(value);
      const auto blank = [](unsigned char c) { return std::isspace(c) != 0; };
      text.erase(text.begin(), std::ranges::find_if_not(text, blank));
      while (!text.empty() && blank(static_cast<unsigned char>(text.back()))) text.pop_back();
      value = text;
    }
    return value;
  }

  Json member() {
    Json value = primary();
    for (;;) {
      if (take(".")) {
        const std::string_view name = peek_word();
        if (name.empty()) fail();
        at_ += name.size();
        value = at(value, Json(std::string(name)));
      } else if (take("[")) {
        const Json key = either();
        if (!take("]")) fail();
        value = at(value, key);
      } else {
        return value;
      }
    }
  }
  static Json at(const Json& value, const Json& key) {
    if (value.is_object() && key.is_string()) {
      const auto found = value.find(key.get<std::string>());
      return found == value.end() ? Json() : *found;
    }
    if (!value.is_array() || !key.is_number_integer()) return {};
    const auto count = static_cast<int64_t>(value.size());
    const auto index = key.get<int64_t>() < 0 ? key.get<int64_t>() + count : key.get<int64_t>();
    return index >= 0 && index < count ? value[static_cast<size_t>(index)] : Json();
  }

  Json primary() {
    if (take("(")) {
      Json value = either();
      if (!take(")")) fail();
      return value;
    }
    space();
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) return string(text_[at_++]);
    const bool negative = take("-");
    const std::string_view word = peek_word();
    if (word.empty() || word.size() > 18) return unknown(word);
    at_ += word.size();
    if (std::ranges::all_of(word, [](unsigned char c) { return std::isdigit(c) != 0; })) {
      const int64_t number = std::stoll(std::string(word));
      return negative ? -number : number;
    }
    if (negative) fail();
    if (word == "true" || word == "True") return true;
    if (word == "false" || word == "False") return false;
    if (word == "none" || word == "None") return {};
    if (word == "raise_exception" && take("(")) throw UserError(where_, text_of(either()));
    return named(word);
  }
  Json unknown(std::string_view word) {
    if (word.empty()) fail();
    at_ += word.size();
    return named(word);
  }
  Json named(std::string_view word) const {
    const auto found = names_.find(word);
    return found == names_.end() ? Json() : found->second;
  }

  Json string(char quote) {
    std::string out;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] != '\\' || at_ + 1 == text_.size()) {
        out += text_[at_];
        continue;
      }
      const char escaped = text_[++at_];
      out += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped == 'r' ? '\r' : escaped;
    }
    if (at_ == text_.size()) fail();
    ++at_;
    return out;
  }

  std::string_view text_;
  const TemplateNames& names_;
  std::string_view where_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Json evaluate_expression(std::string_view text, const TemplateNames& names, std::string_view where) {
  return Expression(text, names, where).whole();
}

bool is_true(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !value.empty();  // null, lists and objects
}

std::string text_of(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace suanli

#include "base/option_value.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/concat.h"
#include "base/env.h"
#include "base/error.h"
#include "base/json.h"
#include "base/suggest.h"

namespace suanli {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

[[noreturn]] void refuse(const Option& option, std::string_view expected, std::string_view text,
                         std::string_view where) {
  throw UserError(where, concat(option.name, " must be ", expected, ", found \"", text.substr(0, 100), '"'));
}

/// +1, -1 for the two kinds of boolean word, 0 for any other text.
int boolean_word(std::string_view text) {
  std::string word(trimmed(text));
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::array<std::string_view, 4> yes = {"true", "yes", "on", "1"}, no = {"false", "no", "off", "0"};
  if (std::find(yes.begin(), yes.end(), word) != yes.end()) return 1;
  return std::find(no.begin(), no.end(), word) != no.end() ? -1 : 0;
}

template <class T>
bool parse_number(std::string_view text, T* value) {
  std::string_view digits = trimmed(text);
  if (digits.starts_with('+') && digits.size() > 1 && digits[1] != '-') digits.remove_prefix(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *value);
  return error == std::errc() && end == digits.data() + digits.size();
}

bool is_name_character(char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)); }

/// `~` or `~/...` by HOME, `$NAME` and `${NAME}` by the environment.
std::string expanded_path(const Option& option, std::string_view text, std::string_view where) {
  const auto variable = [&](const std::string& name) {
    if (const auto value = environment(name.c_str())) return *value;
    throw UserError(where, concat(option.name, ": the variable ", name, " in \"", text, "\" is not set"));
  };
  std::string path;
  size_t i = 0;
  if (text == "~" || text.starts_with("~/")) {
    path = variable("HOME");
    i = 1;
  }
  while (i < text.size()) {
    if (text[i] != '$') {
      path += text[i++];
      continue;
    }
    const bool braced = text.substr(i + 1).starts_with('{');
    const size_t begin = i + 1 + braced;
    size_t end = begin;
    while (end < text.size() && is_name_character(text[end])) ++end;
    const bool closed = !braced || (end < text.size() && text[end] == '}');
    if (end == begin || !closed) refuse(option, "a path ($NAME or ${NAME} are variables)", text, where);
    path += variable(std::string(text.substr(begin, end - begin)));
    i = end + braced;
  }
  return path;
}

}  // namespace

bool is_boolean_word(std::string_view text) { return boolean_word(text) != 0; }

void check_choice(const Option& option, std::string_view value, std::string_view where) {
  if (option.choices.empty()) return;
  if (std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end()) return;
  std::string expected = "one of";
  for (const std::string& choice : option.choices) expected += concat(expected == "one of" ? " " : ", ", choice);
  throw UserError(where, concat(option.name, " must be ", expected, ", found \"", value.substr(0, 100), '"',
                                did_you_mean(value, option.choices)));
}

std::string canonical_value(const Option& option, std::string_view text, std::string_view where) {
  if (text.find('\0') != std::string_view::npos) refuse(option, "text without a NUL byte", "\\0", where);
  std::string value(text);
  if (option.type == OptionType::boolean) {
    const int word = boolean_word(text);
    if (word == 0) refuse(option, "true or false", text, where);
    value = word > 0 ? "true" : "false";
  } else if (option.type == OptionType::integer) {
    int64_t number = 0;
    if (!parse_number(text, &number)) refuse(option, "a whole number of 64 bits", text, where);
    value = concat(number);
  } else if (option.type == OptionType::real) {
    double number = 0;
    if (!parse_number(text, &number) || !std::isfinite(number)) refuse(option, "a finite number", text, where);
    value = concat(number);
  } else if (option.type == OptionType::path) {
    value = expanded_path(option, text, where);
  }
  check_choice(option, value, where);
  return value;
}

std::vector<std::string> split_list(const Option& option, std::string_view text, std::string_view where) {
  std::vector<std::string> elements;
  text = trimmed(text);
  if (text.starts_with('[')) {
    const Json json = parse_json(text, where);
    for (const Json& element : json) {
      if (!element.is_string()) refuse(option, "a list of strings", text, where);
      elements.push_back(element.get<std::string>());
    }
  } else {
    while (!text.empty()) {
      const size_t comma = text.find(',');
      elements.emplace_back(trimmed(text.substr(0, comma)));
      text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
      const bool dangling = comma != std::string_view::npos && text.empty();
      if (elements.back().empty() || dangling) refuse(option, "names between the commas", text, where);
    }
  }
  return elements;
}

}  // namespace suanli

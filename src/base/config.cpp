#include "base/config.h"

#include <algorithm>
#include <charconv>

#include "base/concat.h"
#include "base/error.h"
#include "base/log.h"
#include "base/option_value.h"
#include "base/suggest.h"

namespace suanli {
namespace {

double number_of(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

int64_t integer_of(const std::string& text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// A JSON string is a YAML double-quoted string.
std::string quoted(const std::string& text) { return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

Config::Config(const OptionTable& table) : table_(&table), values_(table.options().size()) {
  for (size_t i = 0; i < values_.size(); ++i) {
    const Option& option = table.options()[i];
    if (!option.default_value.empty()) store(static_cast<int>(i), option.default_value, "");
  }
}

int Config::require(std::string_view written, std::string_view where) {
  const int option = table_->find(written);
  if (option < 0) {
    throw UserError(where,
                    concat("unknown option \"", written.substr(0, 100), '"', did_you_mean(written, table_->names())));
  }
  const Option& found = table_->options()[static_cast<size_t>(option)];
  std::string name(written);
  std::replace(name.begin(), name.end(), '-', '_');
  const auto once = [this](const std::string& subject) {
    if (std::find(warned_.begin(), warned_.end(), subject) != warned_.end()) return false;
    warned_.push_back(subject);
    return true;
  };
  if (name != found.name && once(name)) log_warning(concat(name, " is an old name; use ", found.name));
  if (found.no_effect && once(found.name)) log_warning(concat(found.name, " has no effect here"));
  return option;
}

void Config::put(int option, Value value, std::string_view where) {
  value.set = true;
  value.where = where;
  values_[static_cast<size_t>(option)] = std::move(value);
}

void Config::store(int option, std::string_view text, std::string_view where) {
  const Option& declared = table_->options()[static_cast<size_t>(option)];
  if (declared.type == OptionType::list) return store_list(option, split_list(declared, text, where), where);
  Value value;
  value.text = canonical_value(declared, text, where);
  put(option, std::move(value), where);
}

void Config::store_list(int option, std::vector<std::string> list, std::string_view where) {
  const Option& declared = table_->options()[static_cast<size_t>(option)];
  for (const std::string& element : list) canonical_value(declared, element, where);
  Value value;
  value.list = std::move(list);
  put(option, std::move(value), where);
}

void Config::set(std::string_view name, std::string_view value, std::string_view where) {
  store(require(name, where), value, where);
}

int Config::index(std::string_view name) const {
  const int option = table_->find(name);
  SUANLI_ASSERT(option >= 0);
  return option;
}

const Config::Value& Config::at(std::string_view name, bool must_be_set) const {
  const Value& value = values_[static_cast<size_t>(index(name))];
  if (must_be_set && !value.set) {
    throw UserError(
        name, concat("is needed and not given; write ", name, ": VALUE in the run file or pass --", name, " VALUE"));
  }
  return value;
}

bool Config::is_set(std::string_view name) const { return at(name, false).set; }

bool Config::is_given(std::string_view name) const {
  const Value& value = at(name, false);
  return value.set && !value.where.empty();
}

std::string Config::source(std::string_view name) const {
  const std::string& where = at(name, false).where;
  return where.empty() ? "default" : where;
}

std::string Config::get_string(std::string_view name) const {
  const OptionType type = table_->options()[static_cast<size_t>(index(name))].type;
  SUANLI_ASSERT(type == OptionType::text || type == OptionType::path);
  return at(name, true).text;
}

std::string Config::get_text(std::string_view name) const { return is_set(name) ? get_string(name) : ""; }

bool Config::get_bool(std::string_view name) const {
  SUANLI_ASSERT(table_->options()[static_cast<size_t>(index(name))].type == OptionType::boolean);
  return at(name, true).text == "true";
}

int64_t Config::get_int(std::string_view name) const {
  SUANLI_ASSERT(table_->options()[static_cast<size_t>(index(name))].type == OptionType::integer);
  return integer_of(at(name, true).text);
}

double Config::get_float(std::string_view name) const {
  SUANLI_ASSERT(table_->options()[static_cast<size_t>(index(name))].type == OptionType::real);
  return number_of(at(name, true).text);
}

std::vector<std::string> Config::get_list(std::string_view name) const {
  SUANLI_ASSERT(table_->options()[static_cast<size_t>(index(name))].type == OptionType::list);
  return at(name, false).list;
}

Json Config::to_json() const {
  Json json = Json::object();
  for (size_t i = 0; i < values_.size(); ++i) {
    const Option& option = table_->options()[i];
    const Value& value = values_[i];
    Json& to = json[option.name];
    if (!value.set) continue;
    switch (option.type) {
      case OptionType::text:
      case OptionType::path:
        to = value.text;
        break;
      case OptionType::boolean:
        to = value.text == "true";
        break;
      case OptionType::integer:
        to = integer_of(value.text);
        break;
      case OptionType::real:
        to = number_of(value.text);
        break;
      case OptionType::list:
        to = value.list;
        break;
    }
  }
  return json;
}

std::string Config::to_yaml() const {
  std::string yaml;
  for (size_t i = 0; i < values_.size(); ++i) {
    const Option& option = table_->options()[i];
    const Value& value = values_[i];
    std::string text = "null";
    if (value.set && option.type == OptionType::list) {
      text = "[";
      for (const std::string& element : value.list) text += concat(text.size() > 1 ? ", " : "", quoted(element));
      text += "]";
    } else if (value.set) {
      const bool plain = option.type != OptionType::text && option.type != OptionType::path;
      text = plain ? value.text : quoted(value.text);
    }
    yaml += concat(option.name, ": ", text);
    if (value.set && !value.where.empty()) yaml += concat("  # ", value.where);
    yaml += '\n';
  }
  return yaml;
}

}  // namespace suanli

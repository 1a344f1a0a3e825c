#include "monitor/yaml_reader.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"
#include "base/suggest.h"
#include "monitor/alert_rules.h"

namespace suanli::monitor {

void YamlReader::fail(std::string_view message) const {
  const auto line = document_->lines.find(pointer_.to_string());
  throw UserError(line == document_->lines.end() ? where_ : concat(where_, ':', line->second), message);
}

void YamlReader::refuse(std::string_view expected) const {
  std::string shown = value_->dump(-1, ' ', true, Json::error_handler_t::replace);
  if (shown.size() > 60) shown = shown.substr(0, 57) + "...";
  const std::string key = pointer_.empty() ? "the file" : concat('"', pointer_.back(), '"');
  fail(concat("expected ", key, " to be ", expected, ", got ", shown));
}

void YamlReader::allow_only(std::span<const std::string> keys) const {
  if (!value_->is_object()) refuse("a mapping of keys");
  for (const auto& [key, value] : value_->items()) {
    if (std::ranges::find(keys, key) != keys.end()) continue;
    child(key, value).fail(concat("unknown key \"", key.substr(0, 60), "\"", did_you_mean(key, keys)));
  }
}

std::optional<YamlReader> YamlReader::find(const std::string& key) const {
  const auto at = value_->find(key);
  if (at == value_->end() || at->is_null()) return std::nullopt;
  return child(key, *at);
}

YamlReader YamlReader::at(const std::string& key) const {
  const auto found = find(key);
  if (!found) fail(concat("expected a key \"", key, "\", got none"));
  return *found;
}

std::vector<YamlReader> YamlReader::items() const {
  if (!value_->is_array()) refuse("a list");
  std::vector<YamlReader> all;
  for (size_t i = 0; i < value_->size(); ++i) all.push_back(child(concat(i), (*value_)[i]));
  return all;
}

std::vector<std::pair<std::string, YamlReader>> YamlReader::entries() const {
  if (!value_->is_object()) refuse("a mapping of keys");
  std::vector<std::pair<std::string, YamlReader>> all;
  for (const auto& [key, value] : value_->items()) all.emplace_back(key, child(key, value));
  return all;
}

std::string YamlReader::text() const {
  if (value_->is_string() && !value_->get_ref<const std::string&>().empty()) return value_->get<std::string>();
  if (value_->is_number_integer() || value_->is_boolean()) return value_->dump();
  refuse("text; put it in quotes");
}

double YamlReader::number() const {
  if (!value_->is_number()) refuse("a number");
  return value_->get<double>();
}

int64_t YamlReader::whole_number() const {
  if (!value_->is_number_integer()) refuse("a whole number");
  return value_->get<int64_t>();
}

double YamlReader::seconds() const {
  const auto seconds = parse_duration(value_->is_string() ? value_->get<std::string>() : value_->dump());
  if (!seconds || *seconds <= 0) refuse("a duration such as 90s or 1h30m");
  return *seconds;
}

YamlReader YamlReader::child(const std::string& key, const Json& value) const {
  YamlReader reader = *this;
  reader.value_ = &value;
  reader.pointer_.push_back(key);
  return reader;
}

}  // namespace suanli::monitor

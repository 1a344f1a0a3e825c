#include "text/json_node.h"

#include <algorithm>

#include "base/concat.h"
#include "base/error.h"

namespace suanli {
namespace {

std::string_view type_name(simdjson::dom::element element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::INT64:
    case element_type::UINT64:
      return "an integer";
    case element_type::DOUBLE:
      return "a fraction";
    case element_type::STRING:
      return "a string";
    case element_type::BOOL:
      return "true or false";
    case element_type::NULL_VALUE:
      return "null";
  }
  return "something else";
}

}  // namespace

void JsonNode::fail(std::string_view message) const {
  throw UserError(where_, concat(path_.empty() ? "the document" : path_, ": ", message));
}

std::string_view JsonNode::string() const {
  std::string_view value;
  if (element_.get(value) != simdjson::SUCCESS) fail(concat("expected a string, found ", type_name(element_)));
  return value;
}

bool JsonNode::boolean() const {
  bool value = false;
  if (element_.get(value) != simdjson::SUCCESS) fail(concat("expected true or false, found ", type_name(element_)));
  return value;
}

int64_t JsonNode::integer(int64_t lowest, int64_t highest) const {
  int64_t value = 0;
  if (element_.type() == simdjson::dom::element_type::DOUBLE || element_.get(value) != simdjson::SUCCESS) {
    fail(concat("expected an integer from ", lowest, " to ", highest, ", found ",
                element_.is_uint64() ? "a larger one" : type_name(element_)));
  }
  if (value < lowest || value > highest) {
    fail(concat("expected an integer from ", lowest, " to ", highest, ", found ", value));
  }
  return value;
}

std::vector<JsonNode> JsonNode::items() const {
  simdjson::dom::array array;
  if (element_.get(array) != simdjson::SUCCESS) fail(concat("expected an array, found ", type_name(element_)));
  std::vector<JsonNode> out;
  for (const simdjson::dom::element item : array) {
    out.emplace_back(item, where_, concat(path_, "[", out.size(), "]"));
  }
  return out;
}

JsonFields JsonNode::fields() const { return JsonFields(*this); }

JsonFields::JsonFields(const JsonNode& object) : object_(object) {
  simdjson::dom::object fields;
  if (object.element().get(fields) != simdjson::SUCCESS) {
    object.fail(concat("expected an object, found ", type_name(object.element())));
  }
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : fields) {
    if (key.find('\0') != std::string_view::npos) object.fail("a key holds the character NUL");
    fields_.push_back({key, value, false});
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  if (const auto twice = std::adjacent_find(keys.begin(), keys.end()); twice != keys.end()) {
    object.fail(concat("the key '", *twice, "' comes twice"));
  }
}

std::optional<JsonNode> JsonFields::take(std::string_view key) {
  for (Field& field : fields_) {
    if (field.key != key) continue;
    field.taken = true;
    if (field.value.is_null()) return std::nullopt;
    return node(field);
  }
  return std::nullopt;
}

JsonNode JsonFields::need(std::string_view key) {
  std::optional<JsonNode> value = take(key);
  if (!value) object_.fail(concat("the key '", key, "' is missing"));
  return *value;
}

bool JsonFields::boolean_or(std::string_view key, bool otherwise) {
  const std::optional<JsonNode> value = take(key);
  return value ? value->boolean() : otherwise;
}

std::string JsonFields::string_or(std::string_view key, std::string_view otherwise) {
  const std::optional<JsonNode> value = take(key);
  return std::string(value ? value->string() : otherwise);
}

void JsonFields::finish() const {
  for (const Field& field : fields_) {
    if (!field.taken) object_.fail(concat("the setting '", field.key, "' is not supported"));
  }
}

std::vector<std::pair<std::string, JsonNode>> JsonFields::all() const {
  std::vector<std::pair<std::string, JsonNode>> out;
  for (const Field& field : fields_) out.emplace_back(field.key, node(field));
  return out;
}

JsonNode JsonFields::node(const Field& field) const {
  const std::string& parent = object_.path();
  return object_.child(field.value, parent.empty() ? std::string(field.key) : concat(parent, ".", field.key));
}

}  // namespace suanli

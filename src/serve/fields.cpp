#include "serve/fields.h"

#include "base/error.h"

namespace suanli::serve {

void wrong_field(const char* key, const std::string& what) {
  throw RequestError(Fault::invalid, "`" + std::string(key) + "`: expected " + what);
}

Json read_body(const Request& request) {
  Json body;
  try {
    body = parse_json(request.body, "body");
  } catch (const UserError& error) {
    throw RequestError(Fault::invalid, error.what());
  }
  if (!body.is_object()) throw RequestError(Fault::invalid, "expected an object of JSON");
  return body;
}

const Json* field(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const Json& object_field(const Json& object, const char* key) {
  static const Json none = Json::object();
  const Json* value = field(object, key);
  if (value != nullptr && !value->is_object()) wrong_field(key, "an object");
  return value == nullptr ? none : *value;
}

const Json& instances_of(const Json& body) {
  const Json* list = field(body, "inputs");
  if (list == nullptr) list = field(body, "instances");
  if (list == nullptr || !list->is_array()) wrong_field("inputs", "a list");
  return *list;
}

std::string string_field(const Json& object, const char* key, const std::string& otherwise) {
  const Json* value = field(object, key);
  if (value == nullptr) return otherwise;
  if (!value->is_string()) wrong_field(key, "a string");
  return value->get<std::string>();
}

bool bool_field(const Json& object, const char* key, bool otherwise) {
  const Json* value = field(object, key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) wrong_field(key, "true or false");
  return value->get<bool>();
}

int64_t integer_field(const Json& object, const char* key, int64_t otherwise, int64_t least, int64_t most) {
  const Json* value = field(object, key);
  if (value == nullptr) return otherwise;
  const std::string range = "an integer in " + std::to_string(least) + ".." + std::to_string(most);
  if (!value->is_number_integer()) wrong_field(key, range);
  if (value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) wrong_field(key, range);
  const auto number = value->get<int64_t>();
  if (number < least || number > most) wrong_field(key, range + ", got " + std::to_string(number));
  return number;
}

double number_field(const Json& object, const char* key, double otherwise, double least, double most) {
  const Json* value = field(object, key);
  if (value == nullptr) return otherwise;
  if (!value->is_number()) wrong_field(key, "a number");
  const auto number = value->get<double>();
  if (!(number >= least && number <= most)) {
    wrong_field(key, "a number in " + Json(least).dump() + ".." + Json(most).dump());
  }
  return number;
}

Input input_of(const Json& value, const char* key) {
  if (value.is_string()) return {.text = value.get<std::string>()};
  Input input;
  if (!value.is_array()) wrong_field(key, "a text or a list of token ids");
  for (const Json& id : value) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > INT32_MAX) {
      wrong_field(key, "token ids of 0 or more");
    }
    input.ids.push_back(id.get<int32_t>());
  }
  return input;
}

Input text_instance(const Json& value, bool question) {
  if (value.is_string() && !question) return {.text = value.get<std::string>()};
  const char* what = question ? "objects of question and context" : "texts, or objects of text and text_pair";
  if (!value.is_object()) wrong_field("inputs", what);
  const char *first = question ? "question" : "text", *second = question ? "context" : "text_pair";
  if (field(value, first) == nullptr) wrong_field("inputs", what);
  Input input{.text = string_field(value, first, "")};
  if (field(value, second) != nullptr) input.pair = string_field(value, second, "");
  return input;
}

std::vector<Input> inputs_of(const Json& body, const char* key, bool& single) {
  const Json* value = field(body, key);
  if (value == nullptr) wrong_field(key, "a text or a list of texts");
  single = value->is_string() || (value->is_array() && !value->empty() && value->front().is_number());
  if (single) return {input_of(*value, key)};
  if (!value->is_array()) wrong_field(key, "a text or a list of texts");
  std::vector<Input> out;
  for (const Json& one : *value) out.push_back(input_of(one, key));
  return out;
}

}  // namespace suanli::serve

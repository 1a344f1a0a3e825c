/// The fields of a JSON body: each with its type and range, errors that name the field.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/served_model.h"

namespace suanli::serve {

/// An object of JSON. Throws RequestError (invalid) for anything else, nesting above 64, and keys that come twice.
Json read_body(const Request& request);

/// The value of `key`, or null where it is missing or null.
const Json* field(const Json& object, const char* key);

/// The object at `key`, an empty one where it is missing or null. Throws RequestError for anything else.
const Json& object_field(const Json& object, const char* key);

/// The list of {"inputs": [...]}, or of KServe's {"instances": [...]}. Throws RequestError where there is none.
const Json& instances_of(const Json& body);

// The value of `key`, or `otherwise` where it is missing or null. They throw RequestError for another type or range.
std::string string_field(const Json& object, const char* key, const std::string& otherwise);
bool bool_field(const Json& object, const char* key, bool otherwise);
int64_t integer_field(const Json& object, const char* key, int64_t otherwise, int64_t least, int64_t most);
double number_field(const Json& object, const char* key, double otherwise, double least, double most);

/// A text, or tokens [1, 2, 3].
Input input_of(const Json& value, const char* key);
/// A text, or an object of text and text_pair; of a model of questions an object of question and context.
Input text_instance(const Json& value, bool question);
/// One input or a list of them; `single` says which it was.
std::vector<Input> inputs_of(const Json& body, const char* key, bool& single);

/// "key": expected `what`.
[[noreturn]] void wrong_field(const char* key, const std::string& what);

}  // namespace suanli::serve

#include "base/json.h"

#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"

namespace suanli {
namespace {

constexpr int kMaxDepth = 64;

/// `<where>:<line>:<column>` of the byte `offset` of `text`, both counted from one.
std::string place(std::string_view text, size_t offset, std::string_view where) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t newline = before.rfind('\n');
  const size_t column = newline == std::string_view::npos ? before.size() : before.size() - newline - 1;
  return concat(where, ':', line, ':', std::max<size_t>(column, 1));
}

/// What the parser says without its own prefix (`[json.exception...] parse error at line 1, column 2: `).
std::string reason(std::string_view message) {
  const size_t colon = message.find(": ");
  return std::string(colon == std::string_view::npos ? message : message.substr(colon + 2));
}

/// A short print of a value for messages; invalid text is replaced, never thrown on.
std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

/// Refuses what the grammar allows and we do not: nesting beyond kMaxDepth and a key given twice in one object.
class Watcher {
 public:
  explicit Watcher(std::string_view where) : where_(where) {}
  bool operator()(int depth, Json::parse_event_t event, const Json& value) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      // `depth` counts the containers around this one.
      if (depth >= kMaxDepth) {
        throw UserError(where_, concat("JSON is nested deeper than ", kMaxDepth, " levels; flatten it"));
      }
      if (event == Event::object_start) keys_.emplace_back();
    } else if (event == Event::object_end) {
      keys_.pop_back();
    } else if (event == Event::key && !keys_.back().insert(value.get_ref<const std::string&>()).second) {
      throw UserError(where_, concat("key ", shown(value), " appears twice in one JSON object; keep one of them"));
    }
    return true;
  }

 private:
  std::string where_;
  std::vector<std::unordered_set<std::string>> keys_;
};

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

template <class T>
std::string type_name() {
  if constexpr (IsVector<T>::value) return concat("a list, each ", type_name<typename T::value_type>());
  if constexpr (std::is_same_v<T, std::string>) return "a string";
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_same_v<T, int64_t>) return "a 64-bit integer";
  return "a number";
}

template <class T>
bool is(const Json& value) {
  if constexpr (IsVector<T>::value) {
    return value.is_array() && std::all_of(value.begin(), value.end(), is<typename T::value_type>);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return value.is_string();
  } else if constexpr (std::is_same_v<T, bool>) {
    return value.is_boolean();
  } else if constexpr (std::is_same_v<T, int64_t>) {
    constexpr uint64_t largest = std::numeric_limits<int64_t>::max();
    return value.is_number_integer() && !(value.is_number_unsigned() && value.get<uint64_t>() > largest);
  } else {
    return value.is_number();
  }
}

template <class T>
T convert(const Json& value, std::string_view key, std::string_view where) {
  if (is<T>(value)) return value.get<T>();
  throw UserError(
      where, concat("key \"", key, "\" must be ", type_name<T>(), ", found ", value.type_name(), ' ', shown(value)));
}

const Json* find(const Json& object, std::string_view key, std::string_view where) {
  if (!object.is_object()) {
    throw UserError(
        where, concat("expected a JSON object with key \"", key, "\", found ", object.type_name(), ' ', shown(object)));
  }
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}

}  // namespace

Json parse_json(std::string_view text, std::string_view where) {
  // The parser takes a NUL byte for the end of its input and would ignore what follows.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    throw UserError(place(text, nul + 1, where), "JSON holds a NUL byte; the file is damaged or not JSON");
  }
  try {
    return Json::parse(text, Watcher(where));
  } catch (const Json::parse_error& error) {
    throw UserError(place(text, error.byte, where), concat("not valid JSON: ", reason(error.what())));
  } catch (const Json::exception& error) {  // a number beyond the range of a double
    throw UserError(where, concat("not valid JSON: ", error.what()));
  }
}

Json read_json(const std::filesystem::path& file, uint64_t limit) {
  return parse_json(read_file(file, limit), file.string());
}

template <class T>
T json_get(const Json& object, std::string_view key, std::string_view where) {
  const Json* value = find(object, key, where);
  if (value == nullptr) {
    throw UserError(where, concat("key \"", key, "\" is missing; it must be ", type_name<T>()));
  }
  return convert<T>(*value, key, where);
}

template <class T>
T json_get_or(const Json& object, std::string_view key, T otherwise, std::string_view where) {
  const Json* value = find(object, key, where);
  return value == nullptr || value->is_null() ? std::move(otherwise) : convert<T>(*value, key, where);
}

#define SUANLI_JSON_TYPE(...)                                                                  \
  template __VA_ARGS__ json_get<__VA_ARGS__>(const Json&, std::string_view, std::string_view); \
  template __VA_ARGS__ json_get_or<__VA_ARGS__>(const Json&, std::string_view, __VA_ARGS__, std::string_view);
SUANLI_JSON_TYPE(std::string)
SUANLI_JSON_TYPE(bool)
SUANLI_JSON_TYPE(int64_t)
SUANLI_JSON_TYPE(double)
SUANLI_JSON_TYPE(std::vector<std::string>)
SUANLI_JSON_TYPE(std::vector<bool>)
SUANLI_JSON_TYPE(std::vector<int64_t>)
SUANLI_JSON_TYPE(std::vector<std::vector<int64_t>>)
SUANLI_JSON_TYPE(std::vector<double>)
#undef SUANLI_JSON_TYPE

}  // namespace suanli

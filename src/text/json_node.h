/// A strict reading view of parsed JSON for tokenizer.json: every wrong type, range or unknown key is a UserError that
/// names its path. Used by the sources of this folder alone (simdjson's types stay inside).
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace suanli {

class JsonFields;

class JsonNode {
 public:
  /// `where` names the source, `path` the place in it, for errors.
  JsonNode(simdjson::dom::element element, std::string where, std::string path)
      : element_(element), where_(std::move(where)), path_(std::move(path)) {}

  bool is_null() const { return element_.is_null(); }
  bool is_string() const { return element_.is_string(); }
  bool is_array() const { return element_.is_array(); }
  bool is_object() const { return element_.is_object(); }
  simdjson::dom::element element() const { return element_; }
  const std::string& path() const { return path_; }

  /// Each throws UserError when the value is of another type or out of range.
  std::string_view string() const;
  bool boolean() const;
  int64_t integer(int64_t lowest, int64_t highest) const;
  std::vector<JsonNode> items() const;
  /// The fields of an object; throws also where a key comes twice or holds NUL.
  JsonFields fields() const;

  /// Another place of the same source.
  JsonNode child(simdjson::dom::element element, std::string path) const { return {element, where_, std::move(path)}; }

  /// Throws UserError with this node's source and path.
  [[noreturn]] void fail(std::string_view message) const;

 private:
  simdjson::dom::element element_;
  std::string where_, path_;
};

/// The fields of one object; the reader takes what it knows and calls finish(), which refuses what is left.
class JsonFields {
 public:
  explicit JsonFields(const JsonNode& object);
  /// The value, or nothing where the key is missing or null.
  std::optional<JsonNode> take(std::string_view key);
  /// The value. Throws UserError when it is missing.
  JsonNode need(std::string_view key);
  std::string string_or(std::string_view key, std::string_view otherwise);
  bool boolean_or(std::string_view key, bool otherwise);
  /// Throws UserError naming a key that nobody took: a setting this program does not know would change the result.
  void finish() const;
  /// All keys with their values, as they stand in the file.
  std::vector<std::pair<std::string, JsonNode>> all() const;

 private:
  struct Field {
    std::string_view key;
    simdjson::dom::element value;
    bool taken = false;
  };
  JsonNode node(const Field& field) const;
  JsonNode object_;
  std::vector<Field> fields_;
};

}  // namespace suanli

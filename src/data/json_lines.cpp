#include "base/concat.h"
#include "base/error.h"
#include "base/json.h"
#include "data/columns.h"
#include "data/readers.h"

namespace suanli {
namespace {

/// The text form of a scalar: strings as they are, numbers and booleans as JSON writes them.
std::string scalar_text(const Json& value, std::string_view column, const std::string& where) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  throw UserError(where,
                  concat("\"", column, "\" must be text, a number or a list of them, found ", value.type_name()));
}

std::vector<std::string> list_text(const Json& value, std::string_view column, const std::string& where) {
  if (!value.is_array()) {
    throw UserError(where, concat("\"", column, "\" must be a list, found ", value.type_name()));
  }
  std::vector<std::string> texts;
  for (const Json& element : value) texts.push_back(scalar_text(element, column, where));
  return texts;
}

class JsonLinesReader : public ExampleReader {
 public:
  JsonLinesReader(ByteSource source, const ReaderOptions& options)
      : ExampleReader(options), source_(std::move(source)) {}

 private:
  bool read(Example* example) override {
    do {
      example->line = source_.line();
      if (!next_line(source_, &text_)) return false;
    } while (text_.find_first_not_of(" \t\r") == std::string::npos);
    const std::string where = source_.place(example->line);
    const Json object = parse_json(text_, where);
    if (!object.is_object()) {
      throw UserError(where, concat("expected one JSON object a line, found ", object.type_name()));
    }
    if (text_.find("\\u0000") != std::string::npos) check_strings(object, where);
    std::vector<std::string> columns;
    for (const auto& entry : object.items()) {
      if (!entry.value().is_null()) columns.push_back(entry.key());
    }
    const ColumnChoice choice = choose_columns(columns, options_, where);
    if (options_.labels == LabelKind::tags) {
      example->words = list_text(object[choice.text[0]], choice.text[0], where);
      if (!choice.label.empty()) example->labels = list_text(object[choice.label], choice.label, where);
      if (!choice.label.empty() && example->labels.size() != example->words.size()) {
        throw UserError(where, concat(example->words.size(), " words, but ", example->labels.size(),
                                      " tags; there must be one a word"));
      }
      return true;
    }
    for (const std::string& column : choice.text) {
      if (&column != &choice.text.front()) example->text += options_.text_column_delimiter;
      example->text += scalar_text(object[column], column, where);
    }
    example->has_pair = !choice.pair.empty();
    if (example->has_pair) example->text_pair = scalar_text(object[choice.pair], choice.pair, where);
    if (!choice.negative.empty()) example->negative = scalar_text(object[choice.negative], choice.negative, where);
    if (!choice.label.empty()) read_label(example, object[choice.label], choice.label, where);
    return true;
  }

  /// A NUL written as an escape must not reach a tokenizer either.
  static void check_strings(const Json& value, const std::string& where) {
    if (value.is_string()) check_text(value.get_ref<const std::string&>(), "a value", where);
    for (const Json& element : value) {
      if (element.is_structured() || element.is_string()) check_strings(element, where);
    }
  }

  void read_label(Example* example, const Json& value, const std::string& column, const std::string& where) {
    if (options_.labels == LabelKind::none) return;
    if (!value.is_array()) return set_label(example, scalar_text(value, column, where), options_, where);
    if (options_.labels != LabelKind::multi) {
      throw UserError(where, concat("\"", column, "\" must be one label, found a list"));
    }
    example->labels = list_text(value, column, where);
  }

  ByteSource source_;
  std::string text_;
};

}  // namespace

std::unique_ptr<ExampleReader> open_json_lines(ByteSource source, const ReaderOptions& options) {
  return std::make_unique<JsonLinesReader>(std::move(source), options);
}

}  // namespace suanli

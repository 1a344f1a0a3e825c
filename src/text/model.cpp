#include "text/model.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/concat.h"
#include "text/bpe.h"
#include "text/json_node.h"
#include "text/word_piece.h"

namespace suanli {
namespace {

// Ids may leave gaps, but a small file must not claim a huge table.
constexpr int64_t kFreeIds = 1 << 16;

Vocabulary read_vocabulary(const JsonNode& node) {
  simdjson::dom::object object;
  if (node.element().get(object) != simdjson::SUCCESS) node.fail("expected an object of tokens and their ids");
  int64_t count = 0, highest = -1;
  for (const auto& [token, value] : object) {
    ++count;
    int64_t id = 0;
    if (value.type() == simdjson::dom::element_type::DOUBLE || value.get(id) != simdjson::SUCCESS || id < 0) {
      node.fail(concat("the id of '", token, "' is no integer from 0 up"));
    }
    highest = std::max(highest, id);
  }
  if (count == 0) node.fail("the vocabulary is empty");
  if (highest >= count * 4 + kFreeIds) {
    node.fail(concat("the id ", highest, " is too high for a vocabulary of ", count, " tokens"));
  }
  Vocabulary out;
  out.reserve(static_cast<size_t>(count), static_cast<size_t>(highest) + 1);
  for (const auto& [token, value] : object) {
    const auto id = static_cast<int32_t>(value.get_int64().value_unsafe());
    switch (out.add(token, id)) {
      case Vocabulary::Added::yes:
        break;
      case Vocabulary::Added::duplicate_token:
        node.fail(concat("the token '", token, "' comes twice"));
      case Vocabulary::Added::duplicate_id:
        node.fail(concat("the id ", id, " belongs to both '", out.token(id), "' and '", token, "'"));
    }
  }
  return out;
}

// Either "a b" or ["a", "b"].
std::vector<std::pair<std::string_view, std::string_view>> read_merges(const JsonNode& node) {
  simdjson::dom::array array;
  if (node.element().get(array) != simdjson::SUCCESS) node.fail("expected an array of merges");
  std::vector<std::pair<std::string_view, std::string_view>> out;
  for (const simdjson::dom::element item : array) {
    std::string_view left, right;
    simdjson::dom::array pair;
    if (item.get(left) == simdjson::SUCCESS) {
      const size_t space = left.find(' ');
      if (space == std::string_view::npos || left.find(' ', space + 1) != std::string_view::npos) {
        node.fail(concat("merge ", out.size(), ": expected two tokens with one space between, found '", left, "'"));
      }
      right = left.substr(space + 1);
      left = left.substr(0, space);
    } else if (item.get(pair) != simdjson::SUCCESS || pair.size() != 2 || pair.at(0).get(left) != simdjson::SUCCESS ||
               pair.at(1).get(right) != simdjson::SUCCESS) {
      node.fail(concat("merge ", out.size(), ": expected \"a b\" or [\"a\", \"b\"]"));
    }
    if (left.empty() || right.empty()) node.fail(concat("merge ", out.size(), ": a part is empty"));
    out.emplace_back(left, right);
  }
  return out;
}

std::unique_ptr<const Model> make_word_piece(const JsonNode& node, JsonFields& fields) {
  WordPieceOptions options;
  options.unknown_token = fields.string_or("unk_token", options.unknown_token);
  options.continuing_prefix = fields.string_or("continuing_subword_prefix", options.continuing_prefix);
  if (const auto longest = fields.take("max_input_chars_per_word")) {
    options.max_chars_per_word = longest->integer(0, INT32_MAX);
  }
  return std::make_unique<WordPiece>(read_vocabulary(fields.need("vocab")), options, node.path());
}

std::unique_ptr<const Model> make_bpe(const JsonNode& node, JsonFields& fields) {
  BpeOptions options;
  if (const auto dropout = fields.take("dropout")) {
    double value = 1;
    if (dropout->element().get(value) != simdjson::SUCCESS || value != 0) {
      dropout->fail("dropout of merges is not supported: expected null");
    }
  }
  if (const auto unknown = fields.take("unk_token")) options.unknown_token = std::string(unknown->string());
  options.continuing_prefix = fields.string_or("continuing_subword_prefix", "");
  options.end_of_word_suffix = fields.string_or("end_of_word_suffix", "");
  options.fuse_unknown = fields.boolean_or("fuse_unk", false);
  options.byte_fallback = fields.boolean_or("byte_fallback", false);
  options.ignore_merges = fields.boolean_or("ignore_merges", false);
  Vocabulary vocabulary = read_vocabulary(fields.need("vocab"));
  return std::make_unique<Bpe>(std::move(vocabulary), read_merges(fields.need("merges")), options, node.path());
}

}  // namespace

std::unique_ptr<const Model> make_model(const JsonNode& node) {
  JsonFields fields = node.fields();
  const std::optional<JsonNode> type_node = fields.take("type");
  // Old files have no type: the settings tell.
  const auto has = [all = fields.all()](std::string_view key) {
    return std::any_of(all.begin(), all.end(), [&](const auto& field) { return field.first == key; });
  };
  const std::string_view type = type_node                         ? type_node->string()
                                : has("merges")                   ? "BPE"
                                : has("max_input_chars_per_word") ? "WordPiece"
                                                                  : "";
  std::unique_ptr<const Model> out;
  if (type == "WordPiece") {
    out = make_word_piece(node, fields);
  } else if (type == "BPE") {
    out = make_bpe(node, fields);
  } else {
    (type_node ? *type_node : node).fail(concat("the model '", type, "' is not supported: expected WordPiece or BPE"));
  }
  fields.finish();
  return out;
}

}  // namespace suanli

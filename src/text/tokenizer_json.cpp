#include <limits>

#include "base/concat.h"
#include "base/error.h"
#include "text/json_node.h"
#include "text/tokenizer_content.h"

namespace suanli {
namespace {

constexpr size_t kDeepest = 64;
constexpr int64_t kMostTokens = std::numeric_limits<int32_t>::max();

AddedToken read_added_token(const JsonNode& node, int64_t id_limit) {
  JsonFields fields = node.fields();
  AddedToken token;
  token.id = static_cast<int32_t>(fields.need("id").integer(0, id_limit - 1));
  token.content = std::string(fields.need("content").string());
  token.special = fields.boolean_or("special", false);
  token.single_word = fields.boolean_or("single_word", false);
  token.lstrip = fields.boolean_or("lstrip", false);
  token.rstrip = fields.boolean_or("rstrip", false);
  token.normalized = fields.boolean_or("normalized", !token.special);
  fields.finish();
  return token;
}

Side read_side(const JsonNode& node) {
  if (node.string() == "Right") return Side::right;
  if (node.string() == "Left") return Side::left;
  node.fail(concat("expected Left or Right, found '", node.string(), "'"));
}

EncodeOptions read_truncation(const JsonNode& node) {
  JsonFields fields = node.fields();
  EncodeOptions options;
  options.max_length = fields.need("max_length").integer(0, kMostTokens);
  const JsonNode strategy = fields.need("strategy");
  if (strategy.string() == "OnlyFirst") {
    options.strategy = TruncationStrategy::only_first;
  } else if (strategy.string() == "OnlySecond") {
    options.strategy = TruncationStrategy::only_second;
  } else if (strategy.string() != "LongestFirst") {
    strategy.fail(concat("the truncation strategy '", strategy.string(), "' is not supported"));
  }
  if (const auto direction = fields.take("direction")) options.truncation_side = read_side(*direction);
  if (const auto stride = fields.take("stride")) stride->integer(0, kMostTokens);  // of the parts that are cut off
  fields.finish();
  return options;
}

PaddingOptions read_padding(const JsonNode& node, int32_t id_limit) {
  JsonFields fields = node.fields();
  PaddingOptions options;
  const JsonNode strategy = fields.need("strategy");
  if (strategy.is_string()) {
    if (strategy.string() != "BatchLongest") {
      strategy.fail(concat("the padding strategy '", strategy.string(), "' is not supported"));
    }
  } else {
    JsonFields fixed = strategy.fields();
    options.length = fixed.need("Fixed").integer(0, kMostTokens);
    fixed.finish();
  }
  if (const auto direction = fields.take("direction")) options.side = read_side(*direction);
  if (const auto multiple = fields.take("pad_to_multiple_of")) options.multiple_of = multiple->integer(0, kMostTokens);
  options.id = static_cast<int32_t>(fields.need("pad_id").integer(0, id_limit - 1));
  options.type = static_cast<int32_t>(fields.need("pad_type_id").integer(0, kMostTokens));
  fields.need("pad_token").string();
  fields.finish();
  return options;
}

}  // namespace

void read_tokenizer_json(std::string_view json, std::string_view where, Tokenizer::Content& content) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (json.find('\0') != std::string_view::npos) throw UserError(where, "the file holds the character NUL: no JSON");
  simdjson::error_code error = json.size() < std::numeric_limits<uint32_t>::max()
                                   ? parser.allocate(json.size() + 1, kDeepest)
                                   : simdjson::CAPACITY;
  if (error == simdjson::SUCCESS) error = parser.parse(json.data(), json.size()).get(root);
  if (error != simdjson::SUCCESS) {
    throw UserError(where, concat("no valid JSON of at most ", kDeepest, " levels: ", simdjson::error_message(error)));
  }
  try {
    JsonFields fields = JsonNode(root, std::string(where), "").fields();
    if (const auto version = fields.take("version"); version && version->string() != "1.0") {
      version->fail(concat("expected 1.0, found '", version->string(), "'"));
    }
    if (const auto node = fields.take("normalizer")) content.normalizer = make_normalizer(*node);
    if (const auto node = fields.take("pre_tokenizer")) content.pre_tokenizer = make_pre_tokenizer(*node);
    content.model = make_model(fields.need("model"));

    std::vector<AddedToken> added;
    int64_t limit = content.model->vocabulary().id_limit();
    if (const auto node = fields.take("added_tokens")) {
      const std::vector<JsonNode> items = node->items();
      // A table over all ids must not be larger than the file explains.
      const int64_t id_limit = limit + static_cast<int64_t>(items.size()) * 4 + (1 << 16);
      for (const JsonNode& item : items) {
        added.push_back(read_added_token(item, id_limit));
        limit = std::max<int64_t>(limit, added.back().id + 1);
      }
    }
    content.added = std::make_unique<AddedVocabulary>(std::move(added), content.model->vocabulary(),
                                                      content.normalizer.get(), where);
    const auto id_limit = static_cast<int32_t>(limit);
    if (const auto node = fields.take("post_processor")) {
      content.post_processor = PostProcessor::from_json(*node, id_limit);
    }
    if (const auto node = fields.take("decoder")) content.decoder = make_decoder(*node);
    if (const auto node = fields.take("truncation")) content.file_truncation = read_truncation(*node);
    if (const auto node = fields.take("padding")) content.file_padding = read_padding(*node, id_limit);
  } catch (const UserError& user_error) {
    // Parts below know their place in the document alone.
    const std::string message = user_error.what();
    if (message.find(where) != std::string::npos) throw;
    throw UserError(where, message);
  }
}

}  // namespace suanli

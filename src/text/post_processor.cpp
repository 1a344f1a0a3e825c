#include "text/post_processor.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "base/concat.h"
#include "text/json_node.h"

namespace suanli {
namespace {

TemplatePiece sequence(int number, int32_t type) { return {number, {}, type}; }
TemplatePiece special(int32_t id, int32_t type) { return {TemplatePiece::kSpecial, {id}, type}; }

// ["[SEP]", 102]
int32_t token_pair(const JsonNode& node, int32_t id_limit) {
  const std::vector<JsonNode> items = node.items();
  if (items.size() != 2) node.fail(concat("expected [token, id], found ", items.size(), " items"));
  items[0].string();
  return static_cast<int32_t>(items[1].integer(0, id_limit - 1));
}

// Byte-level tokens carry the space before a word; its place in the text is not the word's.
void trim_offsets(TokenRun& run, bool add_prefix_space) {
  for (size_t i = 0; i < run.size(); ++i) {
    auto [leading, trailing] = run.spaces[i];
    auto& [begin, end] = run.offsets[i];
    if (leading > 0) {
      // The one space of the first token may be the one that add_prefix_space put there: it has no place to trim.
      const bool first = i == 0 || begin == 0;
      if (first && add_prefix_space && leading == 1) leading = 0;
      begin = std::min(begin + leading, end);
    }
    if (trailing > 0 && end >= trailing) end = std::max(end - trailing, begin);
  }
}

}  // namespace

void TokenRun::clear() {
  ids.clear();
  offsets.clear();
  word_ids.clear();
  spaces.clear();
}

void TokenRun::truncate(size_t length, Side side) {
  if (size() <= length) return;
  const size_t drop = size() - length;
  const auto cut = [&](auto& list) {
    if (list.empty()) return;
    const auto from = side == Side::right ? list.end() - static_cast<std::ptrdiff_t>(drop) : list.begin();
    list.erase(from, from + static_cast<std::ptrdiff_t>(drop));
  };
  cut(offsets);
  cut(word_ids);
  cut(spaces);
  cut(ids);
}

PostProcessor::PostProcessor() : single_{sequence(0, 0)}, pair_{sequence(0, 0), sequence(1, 1)} {}

PostProcessor PostProcessor::bert(int32_t cls, int32_t sep) {
  PostProcessor out;
  out.single_ = {special(cls, 0), sequence(0, 0), special(sep, 0)};
  out.pair_ = {special(cls, 0), sequence(0, 0), special(sep, 0), sequence(1, 1), special(sep, 1)};
  out.has_template_ = true;
  return out;
}

PostProcessor PostProcessor::from_json(const JsonNode& node, int32_t id_limit) {
  PostProcessor out;
  out.read(node, id_limit);
  return out;
}

void PostProcessor::read(const JsonNode& node, int32_t id_limit) {
  JsonFields fields = node.fields();
  const JsonNode type_node = fields.need("type");
  const std::string_view type = type_node.string();
  const auto only_template = [&] {
    if (has_template_) type_node.fail("a second processor that adds special tokens is not supported");
    has_template_ = true;
  };
  const auto trim = [&](bool wanted, bool add_prefix_space) {
    if (!wanted) return;
    if (has_template_) type_node.fail("trimming offsets after special tokens have been added is not supported");
    trims_.push_back({add_prefix_space});
  };
  if (type == "Sequence") {
    for (const JsonNode& part : fields.need("processors").items()) read(part, id_limit);
  } else if (type == "ByteLevel") {
    const bool add_prefix_space = fields.boolean_or("add_prefix_space", true);
    trim(fields.boolean_or("trim_offsets", true), add_prefix_space);
    fields.boolean_or("use_regex", true);  // the pre-tokenizer's
  } else if (type == "BertProcessing") {
    only_template();
    const int32_t sep = token_pair(fields.need("sep"), id_limit), cls = token_pair(fields.need("cls"), id_limit);
    const PostProcessor built = bert(cls, sep);
    single_ = built.single_;
    pair_ = built.pair_;
  } else if (type == "RobertaProcessing") {
    const int32_t sep = token_pair(fields.need("sep"), id_limit), cls = token_pair(fields.need("cls"), id_limit);
    const bool add_prefix_space = fields.boolean_or("add_prefix_space", true);
    trim(fields.boolean_or("trim_offsets", true), add_prefix_space);
    only_template();
    single_ = {special(cls, 0), sequence(0, 0), special(sep, 0)};
    pair_ = {special(cls, 0), sequence(0, 0), special(sep, 0), special(sep, 0), sequence(1, 0), special(sep, 0)};
  } else if (type == "TemplateProcessing") {
    only_template();
    read_template(fields, id_limit);
  } else {
    type_node.fail(concat("the post-processor '", type, "' is not supported"));
  }
  fields.finish();
}

void PostProcessor::read_template(JsonFields& fields, int32_t id_limit) {
  std::vector<std::pair<std::string, std::vector<int32_t>>> specials;
  for (const auto& [name, node] : fields.need("special_tokens").fields().all()) {
    JsonFields token = node.fields();
    const JsonNode id = token.need("id");
    if (id.string() != name) id.fail(concat("expected the key's name '", name, "', found '", id.string(), "'"));
    std::vector<int32_t> ids;
    for (const JsonNode& item : token.need("ids").items()) {
      ids.push_back(static_cast<int32_t>(item.integer(0, id_limit - 1)));
    }
    const JsonNode tokens = token.need("tokens");
    if (tokens.items().size() != ids.size()) tokens.fail(concat("expected as many as ids, ", ids.size()));
    for (const JsonNode& item : tokens.items()) item.string();
    token.finish();
    specials.emplace_back(name, std::move(ids));
  }
  const auto read_pieces = [&](const JsonNode& node) {
    std::vector<TemplatePiece> out;
    for (const JsonNode& item : node.items()) {
      JsonFields kinds = item.fields();
      const std::optional<JsonNode> text = kinds.take("Sequence"), token = kinds.take("SpecialToken");
      kinds.finish();
      if (text.has_value() == token.has_value()) item.fail("expected one of 'Sequence' and 'SpecialToken'");
      JsonFields content = (text ? *text : *token).fields();
      const JsonNode id = content.need("id");
      TemplatePiece piece;
      piece.type = static_cast<int32_t>(content.need("type_id").integer(0, std::numeric_limits<int32_t>::max()));
      content.finish();
      if (text) {
        if (id.string() != "A" && id.string() != "B") id.fail(concat("expected A or B, found '", id.string(), "'"));
        piece.sequence = id.string() == "A" ? 0 : 1;
      } else {
        const auto found = std::find_if(specials.begin(), specials.end(),
                                        [&](const auto& entry) { return entry.first == id.string(); });
        if (found == specials.end()) id.fail(concat("'", id.string(), "' is not among special_tokens"));
        piece.ids = found->second;
      }
      out.push_back(std::move(piece));
    }
    return out;
  };
  const auto count = [](const std::vector<TemplatePiece>& pieces, int number) {
    return std::count_if(pieces.begin(), pieces.end(), [&](const TemplatePiece& p) { return p.sequence == number; });
  };
  const JsonNode single = fields.need("single"), pair = fields.need("pair");
  single_ = read_pieces(single);
  if (count(single_, 0) != 1 || count(single_, 1) != 0) single.fail("expected the sequence A once and no B");
  pair_ = read_pieces(pair);
  if (count(pair_, 0) != 1 || count(pair_, 1) != 1) pair.fail("expected the sequences A and B once each");
}

size_t PostProcessor::added_tokens(bool pair) const {
  size_t count = 0;
  for (const TemplatePiece& piece : pair ? pair_ : single_) count += piece.ids.size();
  return count;
}

void PostProcessor::apply(TokenRun& first, TokenRun* second, bool add_special_tokens, Encoding& out) const {
  for (const Trim& trim : trims_) {
    trim_offsets(first, trim.add_prefix_space);
    if (second != nullptr) trim_offsets(*second, trim.add_prefix_space);
  }
  const std::vector<TemplatePiece>& pieces = second == nullptr ? single_ : pair_;
  const size_t total = first.size() + (second == nullptr ? 0 : second->size()) +
                       (add_special_tokens ? added_tokens(second != nullptr) : 0);
  const auto prepare = [&](auto& list) {
    list.clear();
    list.reserve(total);
  };
  prepare(out.ids);
  prepare(out.types);
  prepare(out.offsets);
  prepare(out.word_ids);
  prepare(out.special);
  out.attention.assign(total, 1);
  for (const TemplatePiece& piece : pieces) {
    if (piece.sequence == TemplatePiece::kSpecial) {
      if (!add_special_tokens) continue;
      for (const int32_t id : piece.ids) {
        out.ids.push_back(id);
        out.types.push_back(piece.type);
        out.offsets.emplace_back(0, 0);
        out.word_ids.push_back(-1);
        out.special.push_back(1);
      }
      continue;
    }
    const TokenRun& run = piece.sequence == 0 ? first : *second;
    out.ids.insert(out.ids.end(), run.ids.begin(), run.ids.end());
    out.types.insert(out.types.end(), run.size(), piece.type);
    out.offsets.insert(out.offsets.end(), run.offsets.begin(), run.offsets.end());
    out.word_ids.insert(out.word_ids.end(), run.word_ids.begin(), run.word_ids.end());
    out.special.insert(out.special.end(), run.size(), 0);
  }
}

}  // namespace suanli

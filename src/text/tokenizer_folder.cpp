#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "text/tokenizer_content.h"
#include "text/word_piece.h"

namespace suanli {
namespace {

constexpr uint64_t kLargestFile = uint64_t{512} << 20;

// "[CLS]", or {"content": "[CLS]", ...}; "" where the key is missing or null.
std::string token_name(const Json& object, const char* key, std::string_view where) {
  const auto field = object.find(key);
  if (field == object.end() || field->is_null()) return "";
  if (field->is_string()) return field->get<std::string>();
  if (field->is_object() && field->contains("content") && field->at("content").is_string()) {
    return field->at("content").get<std::string>();
  }
  throw UserError(where, concat(key, ": expected a string or an object with 'content', found ", field->dump()));
}

Json parse_object(std::string_view text, std::string_view where) {
  if (text.empty()) return Json::object();
  Json out = parse_json(text, where);
  if (!out.is_object()) throw UserError(where, "expected an object");
  return out;
}

bool flag(const Json& object, const char* key, bool otherwise, std::string_view where) {
  const auto field = object.find(key);
  if (field == object.end() || field->is_null()) return otherwise;
  if (!field->is_boolean()) throw UserError(where, concat(key, ": expected true or false, found ", field->dump()));
  return field->get<bool>();
}

// The tokenizers that a vocab.txt alone describes.
void check_class(const Json& config, std::string_view where) {
  const auto field = config.find("tokenizer_class");
  if (field == config.end() || field->is_null()) return;
  std::string name = field->is_string() ? field->get<std::string>() : field->dump();
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  constexpr std::array kKnown = {"BertTokenizer",
                                 "DistilBertTokenizer",
                                 "ElectraTokenizer",
                                 "MobileBertTokenizer",
                                 "LayoutLMTokenizer",
                                 "RetriBertTokenizer",
                                 "DPRQuestionEncoderTokenizer",
                                 "DPRContextEncoderTokenizer",
                                 "DPRReaderTokenizer"};
  if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
    throw UserError(where, concat("the tokenizer_class '", name, "' needs a tokenizer.json: vocab.txt alone describes ",
                                  "BERT tokenizers"));
  }
}

Vocabulary read_lines(std::string_view text, std::string_view where) {
  Vocabulary out;
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  if (lines > static_cast<size_t>(INT32_MAX)) throw UserError(where, "expected less than 2^31 lines");
  std::vector<std::string_view> tokens;
  tokens.reserve(lines);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    tokens.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out.reserve(tokens.size(), tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].find('\0') != std::string_view::npos) {
      throw UserError(where, concat("line ", i + 1, " holds the character NUL"));
    }
    if (out.add(tokens[i], static_cast<int32_t>(i)) != Vocabulary::Added::yes) {
      throw UserError(where, concat("the token '", tokens[i], "' of line ", i + 1, " comes twice"));
    }
  }
  return out;
}

}  // namespace

void read_special_tokens(std::string_view tokenizer_config, std::string_view special_tokens_map, std::string_view where,
                         Tokenizer::Content& content) {
  const Json config = parse_object(tokenizer_config, concat(where, " (tokenizer_config.json)"));
  const Json map = parse_object(special_tokens_map, concat(where, " (special_tokens_map.json)"));
  const auto resolve = [&](const char* key, std::initializer_list<std::string_view> usual) -> std::optional<int32_t> {
    for (const Json* source : {&map, &config}) {
      const std::string name = token_name(*source, key, where);
      if (name.empty()) continue;
      const int32_t id = content.find(name);
      if (id != Vocabulary::kMissing) return id;
      throw UserError(where, concat(key, " is '", name, "', which is not in the vocabulary"));
    }
    for (const std::string_view name : usual) {
      if (const int32_t id = content.find(name); id != Vocabulary::kMissing) return id;
    }
    return std::nullopt;
  };
  content.special.cls = resolve("cls_token", {"[CLS]", "<s>"});
  content.special.sep = resolve("sep_token", {"[SEP]", "</s>"});
  content.special.pad = resolve("pad_token", {"[PAD]", "<pad>"});
  content.special.mask = resolve("mask_token", {"[MASK]", "<mask>"});
  content.special.unk = resolve("unk_token", {"[UNK]", "<unk>"});
  if (const auto field = config.find("model_max_length"); field != config.end() && !field->is_null()) {
    if (!field->is_number() || field->get<double>() < 0) {
      throw UserError(where, concat("model_max_length: expected a number from 0 up, found ", field->dump()));
    }
    const auto length = field->get<double>();
    content.model_max_length = length > 2147483648.0 ? 0 : static_cast<int64_t>(length);
  }
}

Tokenizer Tokenizer::from_json(std::string_view json, std::string_view where) {
  auto content = std::make_shared<Content>();
  read_tokenizer_json(json, where, *content);
  read_special_tokens("", "", where, *content);
  content->files.emplace_back("tokenizer.json", json);
  return Tokenizer(std::move(content));
}

Tokenizer Tokenizer::from_vocabulary(std::string_view vocabulary, std::string_view config, std::string_view where) {
  const Json options = parse_object(config, where);
  check_class(options, where);
  BertNormalizerOptions normalizer;
  normalizer.lowercase = flag(options, "do_lower_case", true, where);
  normalizer.handle_chinese_chars = flag(options, "tokenize_chinese_chars", true, where);
  normalizer.strip_accents = flag(options, "strip_accents", normalizer.lowercase, where);
  const auto name = [&](const char* key, std::string_view otherwise) {
    const std::string given = token_name(options, key, where);
    return given.empty() ? std::string(otherwise) : given;
  };
  auto content = std::make_shared<Content>();
  content->normalizer = make_bert_normalizer(normalizer);
  content->pre_tokenizer = make_bert_pre_tokenizer();
  WordPieceOptions word_piece;
  word_piece.unknown_token = name("unk_token", word_piece.unknown_token);
  content->model = std::make_unique<WordPiece>(read_lines(vocabulary, where), word_piece, where);

  std::vector<AddedToken> added;
  const auto add = [&](const std::string& token, bool needed) {
    const int32_t id = content->model->vocabulary().find(token);
    if (id == Vocabulary::kMissing) {
      if (needed) throw UserError(where, concat("the special token '", token, "' is not in the vocabulary"));
      return id;
    }
    if (std::none_of(added.begin(), added.end(), [&](const AddedToken& other) { return other.id == id; })) {
      added.push_back({token, id, false, false, false, false, true});
    }
    return id;
  };
  const int32_t cls = add(name("cls_token", "[CLS]"), true), sep = add(name("sep_token", "[SEP]"), true);
  add(word_piece.unknown_token, true);
  add(name("pad_token", "[PAD]"), false);
  add(name("mask_token", "[MASK]"), false);
  content->added = std::make_unique<AddedVocabulary>(std::move(added), content->model->vocabulary(),
                                                     content->normalizer.get(), where);
  content->post_processor = PostProcessor::bert(cls, sep);
  content->decoder = make_word_piece_decoder(word_piece.continuing_prefix, true);
  read_special_tokens(config, "", where, *content);
  content->files.emplace_back("vocab.txt", vocabulary);
  if (!config.empty()) content->files.emplace_back("tokenizer_config.json", config);
  return Tokenizer(std::move(content));
}

Tokenizer Tokenizer::load(const std::filesystem::path& folder) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const char* name : {"tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"}) {
    if (std::filesystem::exists(folder / name)) files.emplace_back(name, read_file(folder / name, kLargestFile));
  }
  const auto text = [&](std::string_view name) -> const std::string* {
    const auto found = std::find_if(files.begin(), files.end(), [&](const auto& file) { return file.first == name; });
    return found == files.end() ? nullptr : &found->second;
  };
  const std::string* json = text("tokenizer.json");
  const std::string* vocabulary = text("vocab.txt");
  const std::string* config = text("tokenizer_config.json");
  const std::string* map = text("special_tokens_map.json");
  if (json == nullptr && vocabulary == nullptr) {
    throw UserError(folder.string(), "expected tokenizer.json or vocab.txt in this folder, found neither");
  }
  std::shared_ptr<Content> content;
  if (json != nullptr) {
    content = std::make_shared<Content>();
    read_tokenizer_json(*json, (folder / "tokenizer.json").string(), *content);
  } else {
    const std::string where = (folder / "vocab.txt").string();
    // The names of special tokens may stand in either file.
    Json merged = config == nullptr ? Json::object() : parse_object(*config, where);
    if (map != nullptr) merged.update(parse_object(*map, where));
    const Tokenizer built = from_vocabulary(*vocabulary, merged.dump(), where);
    content = std::const_pointer_cast<Content>(built.content_);
  }
  read_special_tokens(config == nullptr ? "" : *config, map == nullptr ? "" : *map, folder.string(), *content);
  content->files = std::move(files);
  return Tokenizer(std::move(content));
}

void Tokenizer::save(const std::filesystem::path& folder) const {
  for (const auto& [name, text] : content_->files) write_file_atomically(folder / name, text);
}

}  // namespace suanli

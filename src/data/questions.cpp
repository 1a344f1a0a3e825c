#include "data/questions.h"

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "data/byte_source.h"
#include "text/utf8.h"

namespace suanli {
namespace {

constexpr uint64_t kLargestFile = uint64_t{1} << 30;

/// Keeps the questions and what a bad one does.
class Questions {
 public:
  explicit Questions(OnBadRow on_bad_row) : on_bad_row_(on_bad_row) {}

  void add(const Json& json, std::string context, const std::string& place) {
    QuestionExample example = {.id = json.contains("id") ? id_of(json["id"]) : std::to_string(all_.size()),
                               .question = json_get<std::string>(json, "question", place),
                               .context = std::move(context),
                               .answers = {},
                               .place = place};
    try {
      add_answers(json, example);
      check_text(example.question, "the question", place);
      check_text(example.context, "the context", place);
    } catch (const UserError& error) {
      if (on_bad_row_ == OnBadRow::error) throw;
      log_warning(concat("skipped a bad question: ", error.what()));
      return;
    }
    all_.push_back(std::move(example));
  }

  std::vector<QuestionExample> take() { return std::move(all_); }

 private:
  static std::string id_of(const Json& json) { return json.is_string() ? json.get<std::string>() : json.dump(); }

  static void add_answer(QuestionExample& example, const std::u32string& context, const std::string& text,
                         int64_t start) {
    const std::u32string points = to_code_points(text);
    const auto begin = static_cast<size_t>(std::max<int64_t>(start, 0));
    if (start < 0 || begin > context.size() || points.empty() || context.compare(begin, points.size(), points) != 0) {
      throw UserError(example.place, concat("expected the answer \"", text, "\" at code point ", start,
                                            " of the context, which has another text there"));
    }
    example.answers.push_back({text, static_cast<uint32_t>(begin), static_cast<uint32_t>(begin + points.size())});
  }

  static void add_answers(const Json& json, QuestionExample& example) {
    if (!json.contains("answers") || json["answers"].is_null()) return;
    const Json& answers = json["answers"];
    const std::u32string context = to_code_points(example.context);
    if (answers.is_array()) {
      for (const Json& each : answers) {
        add_answer(example, context, json_get<std::string>(each, "text", example.place),
                   json_get<int64_t>(each, "answer_start", example.place));
      }
      return;
    }
    const auto texts = json_get<std::vector<std::string>>(answers, "text", example.place);
    const auto starts = json_get<std::vector<int64_t>>(answers, "answer_start", example.place);
    if (texts.size() != starts.size()) {
      throw UserError(example.place,
                      concat("expected an answer_start for each of ", texts.size(), " texts, got ", starts.size()));
    }
    for (size_t i = 0; i < texts.size(); ++i) add_answer(example, context, texts[i], starts[i]);
  }

  OnBadRow on_bad_row_;
  std::vector<QuestionExample> all_;
};

const Json& list_in(const Json& object, const char* key, const std::string& file) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_array()) {
    throw UserError(file, concat("expected a list \"", key, "\", as files of SQuAD have it"));
  }
  return object[key];
}

void read_squad(const Json& json, const std::string& file, Questions& questions) {
  for (const Json& article : list_in(json, "data", file)) {
    for (const Json& paragraph : list_in(article, "paragraphs", file)) {
      const auto context = json_get<std::string>(paragraph, "context", file);
      for (const Json& question : list_in(paragraph, "qas", file)) {
        questions.add(question, context, concat(file, ":", json_get_or<std::string>(question, "id", "?", file)));
      }
    }
  }
}

bool is_question(const std::string& line) {
  try {
    const Json json = parse_json(line, "line");
    return json.is_object() && json.contains("question");
  } catch (const UserError&) {
    return false;  // a document of several lines
  }
}

}  // namespace

std::vector<QuestionExample> read_questions(const std::filesystem::path& file, OnBadRow on_bad_row) {
  Questions questions(on_bad_row);
  ByteSource source(file);
  std::string line;
  const bool has_lines = next_line(source, &line) && is_question(line);
  if (!has_lines) {
    const std::string text = read_file(file, kLargestFile);
    const Json json = parse_json(text, file.string());
    if (!json.is_object() || !json.contains("data")) {
      throw UserError(file.string(), "expected a file of SQuAD, or JSON lines with question, context and answers");
    }
    read_squad(json, file.string(), questions);
  }
  for (int64_t number = 1; has_lines; ++number) {
    const std::string place = source.place(number);
    if (line.find_first_not_of(" \t\r") != std::string::npos) {
      const Json json = parse_json(line, place);
      questions.add(json, json_get<std::string>(json, "context", place), place);
    }
    if (!next_line(source, &line)) break;
  }
  std::vector<QuestionExample> all = questions.take();
  if (all.empty()) throw UserError(file.string(), "expected at least one question, got none");
  return all;
}

}  // namespace suanli

#include "apps/answer_index_folder.h"

#include "apps/text_answers.h"
#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

namespace suanli::apps {

namespace {

std::vector<float> joined(const std::vector<std::vector<float>>& rows) {
  std::vector<float> out;
  for (const auto& row : rows) out.insert(out.end(), row.begin(), row.end());
  return out;
}

}  // namespace

Json answer_index_key(const std::filesystem::path& answers_file, const std::filesystem::path& encoder,
                      const infer::TextModelOptions& options) {
  Json files = Json::object();
  for (const char* name : {"config.json", "model.safetensors", "modules.json", "1_Pooling/config.json",
                           "tokenizer.json", "vocab.txt", "sentence_bert_config.json"}) {
    if (std::filesystem::exists(encoder / name)) files[name] = sha256_file(encoder / name);
  }
  return {{"format", 1},
          {"answers", sha256_file(answers_file)},
          {"encoder", files},
          {"precision", options.precision},
          {"max_length", options.max_length}};
}

AnswerIndex open_answer_index(const std::filesystem::path& folder, const Json& key, const std::vector<Answer>& answers,
                              const std::filesystem::path& encoder, const infer::TextModelOptions& options) {
  std::string reason;
  auto found = AnswerIndex::load(folder, key, &reason);
  if (found && found->size() == answers.size()) return std::move(*found);
  log_info(concat("the index of ", answers.size(), " answers is built: ", found ? "its rows are others" : reason));
  const infer::TextModel model = infer::load_text_model(encoder, options);
  std::vector<std::string> questions, documents;
  for (const Answer& answer : answers) {
    questions.push_back(answer.question);
    documents.push_back(answer.question + " " + answer.text);
  }
  const auto vectors = embed_texts(model, questions);
  AnswerIndex index(vectors.front().size(), joined(vectors), joined(embed_texts(model, documents)));
  try {
    index.save(folder, key);
  } catch (const std::runtime_error& error) {
    log_warning(concat("the index is not kept: ", error.what()));
  }
  return index;
}

}  // namespace suanli::apps

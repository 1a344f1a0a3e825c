#include <algorithm>

#include "base/concat.h"
#include "base/error.h"
#include "base/log.h"
#include "data/split.h"
#include "train/baseline_profile.h"
#include "train/prepare.h"
#include "train/question_answering.h"

namespace suanli {
namespace {

/// Moves the questions at `rows` out of `all`.
std::vector<QuestionExample> taken(std::vector<QuestionExample>& all, const std::vector<int64_t>& rows) {
  std::vector<QuestionExample> out;
  for (const int64_t row : rows) out.push_back(std::move(all[static_cast<size_t>(row)]));
  return out;
}

}  // namespace

void prepare_questions(const Json& model_json, Run& run) {
  const TrainArguments& a = run.arguments;
  const Tokenizer tokenizer = run_tokenizer(a);
  const bool evaluates = a.do_eval || a.eval_strategy != Interval::no;
  std::vector<QuestionExample> train, validation, test;
  const auto read = [&](const std::string& file) { return read_questions(file, a.reader.on_bad_row); };
  const SplitFractions fractions = {a.validation_split, a.test_split};
  const bool splits = fractions.validation > 0 || fractions.test > 0;
  if (!a.train_file.empty() && (a.do_train || splits)) train = read(a.train_file);
  if (splits) {
    const Split split = split_rows(std::vector<int64_t>(train.size()), fractions, a.data_seed);
    validation = taken(train, split.validation);
    test = taken(train, split.test);
    train = taken(train, split.train);
  }
  if (!a.validation_file.empty() && evaluates) validation = read(a.validation_file);
  if (!a.test_file.empty() && a.do_predict) test = read(a.test_file);

  // transformers makes as many outputs as there are labels: a classifier of more becomes a model of two.
  const size_t labels = models::config_labels(model_json, "config.json").size();
  run.model = make_model(
      run, model_json,
      labels == 0 || labels == 2 ? std::vector<std::string>() : std::vector<std::string>{"LABEL_0", "LABEL_1"});
  const int64_t longest = run.model.config().longest_sequence, limit = tokenizer.model_max_length();
  const int64_t most = limit > 0 ? std::min(longest, limit) : longest;
  const int64_t asked = a.max_seq_length > 0 ? a.max_seq_length : run.kind.default_length;
  if (a.max_seq_length > most) {
    log_warning(concat("max_seq_length ", asked, " is more than the model's ", most, ", which is used"));
  }
  const int64_t max_length = std::min(asked, most);
  auto task = std::make_unique<QuestionAnswering>(
      run.model, tokenizer,
      QuestionAnsweringOptions{
          .windows = {.max_length = max_length, .doc_stride = std::min(a.doc_stride, max_length / 2)},
          .answers = {.n_best_size = a.n_best_size, .max_answer_length = a.max_answer_length}});
  const auto keep = [&](std::vector<QuestionExample> questions, int64_t most_rows, Dataset& rows) {
    if (most_rows >= 0) questions.resize(std::min(questions.size(), static_cast<size_t>(most_rows)));
    if (!questions.empty()) rows.rows = task->add(std::move(questions));
  };
  if (a.do_train) {
    const auto kept = static_cast<size_t>(a.max_train_samples < 0 ? INT64_MAX : a.max_train_samples);
    run.baseline = question_profile(std::span(train).first(std::min(kept, train.size())));
    keep(std::move(train), a.max_train_samples, run.train);
    add_windows(run.train, tokenizer.special_ids().unk, &run.baseline);
  }
  keep(std::move(validation), a.max_eval_samples, run.validation);
  if (a.do_predict) keep(std::move(test), a.max_predict_samples, run.test);
  run.task = std::move(task);
  run.write_others = [tokenizer](const std::filesystem::path& folder) { tokenizer.save(folder); };
}

}  // namespace suanli

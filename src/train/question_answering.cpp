#include "train/question_answering.h"

#include <algorithm>
#include <map>

#include "autograd/tape.h"
#include "base/error.h"
#include "data/loader.h"
#include "ops/arithmetic.h"
#include "ops/embedding.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

constexpr float kNoToken = -1e30F;  // the logit of what fills rows of windows up to one length

/// Puts the windows of a question together as they come, then scores its answer.
class AnswerScorer final : public Scorer {
 public:
  AnswerScorer(const QuestionAnswering& task, bool keep) : task_(task), keep_(keep) {}

  void add(const Batch& batch, const nn::Mode& mode) override {
    const NoGradient guard;
    const LossInputs inputs = task_.inputs(batch);
    const Tensor logits = task_.logits(inputs, mode);
    const auto size = static_cast<double>(batch.size());
    loss_.add(number_of(task_.loss_of(logits, inputs, size)), size);
    const std::vector<float> values = host_values(logits);
    for (size_t b = 0; b < batch.rows.size(); ++b) {
      const auto [asked, window] = task_.asked(batch, b);
      auto& seen = open_[asked];
      seen.resize(asked->windows.size());
      seen[window].assign(values.begin() + 2 * batch.offsets[b], values.begin() + 2 * batch.offsets[b + 1]);
      if (std::ranges::any_of(seen, [](const auto& each) { return each.empty(); })) continue;
      score(*asked, seen, task_.answer_options(batch));
      open_.erase(asked);
    }
  }

  Scores scores() const override {
    return {{"loss", loss_.mean()}, {"exact_match", 100 * exact_.mean()}, {"f1", 100 * f1_.mean()}};
  }

 private:
  void score(const QuestionAnswering::Asked& asked, const std::vector<std::vector<float>>& values,
             const AnswerOptions& options) {
    const std::vector<std::span<const float>> logits(values.begin(), values.end());
    const std::string answer = best_answers(asked.example.context, asked.windows, logits, options).front().text;
    double exact = 0, f1 = 0;
    for (const auto& truth : asked.example.answers) {
      exact = std::max(exact, exact_match(truth.text, answer));
      f1 = std::max(f1, answer_f1(truth.text, answer));
    }
    if (asked.example.answers.empty()) exact = f1 = exact_match("", answer);
    exact_.add(exact, 1);
    f1_.add(f1, 1);
    if (keep_) predictions_.emplace_back(static_cast<int64_t>(exact_.weight()) - 1, answer);
  }

  const QuestionAnswering& task_;
  bool keep_;
  MeanLoss loss_, exact_, f1_;
  std::map<const QuestionAnswering::Asked*, std::vector<std::vector<float>>> open_;
};

}  // namespace

QuestionAnswering::QuestionAnswering(const models::Model& model, Tokenizer tokenizer, QuestionAnsweringOptions options)
    : model_(model), tokenizer_(std::move(tokenizer)), options_(options) {}

std::vector<EncodedExample> QuestionAnswering::add(std::vector<QuestionExample> questions) {
  Set set;
  set.questions.resize(questions.size());
  const auto count = static_cast<int64_t>(questions.size());
  encode_rows(count, [&](int64_t i) {
    Asked& asked = set.questions[static_cast<size_t>(i)];
    asked.example = std::move(questions[static_cast<size_t>(i)]);
    try {
      asked.windows = question_windows(tokenizer_, asked.example.question, asked.example.context, options_.windows);
    } catch (const UserError& error) {
      throw UserError(asked.example.place, error.what());
    }
    return EncodedExample();
  });
  std::vector<EncodedExample> rows;
  for (size_t q = 0; q < set.questions.size(); ++q) {
    const Asked& asked = set.questions[q];
    set.impossible = set.impossible || asked.example.answers.empty();
    for (size_t w = 0; w < asked.windows.size(); ++w) {
      const QuestionWindow& window = asked.windows[w];
      TokenSpan span;
      if (!asked.example.answers.empty()) {
        span = answer_tokens(window, asked.example.answers.front().start, asked.example.answers.front().end);
      }
      EncodedExample& row = rows.emplace_back();
      row.ids = window.ids;
      row.types = window.types;
      row.categories = {static_cast<int32_t>(sets_.size()), static_cast<int32_t>(q), static_cast<int32_t>(w)};
      row.targets = {static_cast<float>(span.start), static_cast<float>(span.end)};
      row.row = static_cast<int64_t>(rows.size()) - 1;
    }
  }
  sets_.push_back(std::move(set));
  return rows;
}

EncodedExample QuestionAnswering::encode(const Example&, const std::string& where) const {
  throw UserError(where, "expected questions with a context, got texts");
}

std::pair<const QuestionAnswering::Asked*, size_t> QuestionAnswering::asked(const Batch& batch, size_t b) const {
  const int32_t* at = batch.categories.data() + 3 * b;
  return {&sets_[static_cast<size_t>(at[0])].questions[static_cast<size_t>(at[1])], static_cast<size_t>(at[2])};
}

AnswerOptions QuestionAnswering::answer_options(const Batch& batch) const {
  AnswerOptions options = options_.answers;
  options.handle_impossible_answer = sets_[static_cast<size_t>(batch.categories.front())].impossible;
  return options;
}

LossInputs QuestionAnswering::inputs(const Batch& batch) const {
  LossInputs inputs = tokens_of(batch);
  // Starts and ends of each window as a row: place 2 t + column of the flat logits, filled up with what no token is.
  const size_t windows = batch.rows.size(), width = static_cast<size_t>(options_.windows.max_length);
  std::vector<int32_t> places(2 * windows * width), labels;
  std::vector<float> outside(places.size(), kNoToken);
  for (size_t row = 0; row < 2 * windows; ++row) {
    const size_t b = row / 2;
    const int32_t begin = batch.offsets[b], tokens = batch.offsets[b + 1] - begin;
    for (int32_t t = 0; t < tokens; ++t) {
      const size_t place = row * width + static_cast<size_t>(t);
      places[place] = 2 * (begin + t) + static_cast<int32_t>(row % 2);
      outside[place] = 0;
    }
    labels.push_back(static_cast<int32_t>(batch.targets[row]));
  }
  inputs.rows = integers(places);
  inputs.features = numbers(outside);
  inputs.labels = integers(labels);
  inputs.classes = options_.windows.max_length;
  return inputs;
}

Tensor QuestionAnswering::logits(const LossInputs& inputs, const nn::Mode& mode) const {
  return model_.network->span_logits(inputs.sequences(), mode);
}

Tensor QuestionAnswering::loss_of(const Tensor& logits, const LossInputs& inputs, double normalizer) const {
  const int64_t rows = inputs.labels.elements(), width = inputs.classes;
  const Tensor flat = ops::reshape(logits, {logits.elements(), 1});
  const Tensor placed = ops::reshape(ops::index_select(flat, inputs.rows), {rows, width});
  const Tensor kept = ops::add(placed, inputs.features.reshape({rows, width}).on(logits.device()));
  return ops::cross_entropy(kept, inputs.labels, {.normalizer = 2 * normalizer});
}

Tensor QuestionAnswering::loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const {
  return loss_of(logits(inputs, mode), inputs, normalizer);
}

std::unique_ptr<Scorer> QuestionAnswering::scorer(bool keep_predictions) const {
  return std::make_unique<AnswerScorer>(*this, keep_predictions);
}

}  // namespace suanli

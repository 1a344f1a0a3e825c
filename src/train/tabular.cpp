#include "train/tabular.h"

#include <algorithm>
#include <cmath>

#include "autograd/tape.h"
#include "base/concat.h"
#include "base/error.h"
#include "models/probabilities.h"
#include "ops/loss.h"
#include "train/task_parts.h"

namespace suanli {
namespace {

models::TabularConfig tabular_config_of(const models::Model& model) {
  const Json& json = model.config().json;
  if (!models::is_tabular(json, "config.json")) {
    throw UserError("task",
                    "expected a network for the rows of a table, got a model of another kind; see its config.json");
  }
  return models::tabular_config(json, "config.json");
}

class TabularScorer final : public Scorer {
 public:
  TabularScorer(const Tabular& task, bool keep)
      : task_(task), config_(task.config()), keep_(keep), matrix_(std::max<int64_t>(config_.outputs(), 1)) {
    if (!config_.regression()) answers_.classes = config_.labels;
  }

  void add(const Batch& batch, const nn::Mode& mode) override {
    const std::vector<float> values = task_.outputs(batch, mode);
    for (int64_t b = 0; b < batch.size(); ++b) {
      Answer answer = config_.regression() ? add_number(batch, values, b) : add_class(batch, values, b);
      if (!keep_) continue;
      answer.row = batch.rows[static_cast<size_t>(b)];
      predictions_.emplace_back(answer.row, answer.prediction);
      answers_.rows.push_back(std::move(answer));
    }
  }

  Scores scores() const override {
    Scores all = {{"loss", loss_.mean()}};
    const Scores more = config_.regression() ? numbers_.scores() : matrix_.scores();
    all.insert(all.end(), more.begin(), more.end());
    if (config_.regression() || config_.outputs() != 2) return all;
    const Scores ranking = probabilities_.scores();
    all.insert(all.end(), ranking.begin(), ranking.end());
    all.emplace_back("threshold", task_.threshold());
    return all;
  }

  std::string report() const override {
    return config_.regression() || config_.outputs() > 20 ? "" : matrix_.text(config_.labels);
  }

 private:
  Answer add_number(const Batch& batch, const std::vector<float>& values, int64_t b) {
    const float truth = batch.targets[static_cast<size_t>(b)], value = values[static_cast<size_t>(b)];
    const double miss = static_cast<double>(value) - static_cast<double>(truth);
    loss_.add(miss * miss, 1);
    numbers_.add(config_.unscaled(truth), config_.unscaled(value));
    return {.label = number_text(config_.unscaled(truth)), .prediction = number_text(config_.unscaled(value))};
  }

  Answer add_class(const Batch& batch, const std::vector<float>& values, int64_t b) {
    const auto width = static_cast<size_t>(config_.outputs()),
               truth = static_cast<size_t>(batch.targets[static_cast<size_t>(b)]);
    const auto logits = std::span(values).subspan(static_cast<size_t>(b) * width, width);
    const std::vector<double> p = models::softmax(logits);
    loss_.add(-std::log(p[truth]), 1);
    if (width == 2) probabilities_.add(static_cast<float>(p[1]), truth == 1);
    const int64_t label = task_.decide(logits).label;
    matrix_.add(static_cast<int64_t>(truth), label);
    return {.label = config_.labels[truth],
            .prediction = config_.labels[static_cast<size_t>(label)],
            .probabilities = std::vector<float>(p.begin(), p.end())};
  }

  const Tabular& task_;
  const models::TabularConfig& config_;
  bool keep_;
  MeanLoss loss_;
  ConfusionMatrix matrix_;
  ProbabilityScores probabilities_;
  RegressionCounts numbers_;
};

}  // namespace

Tabular::Tabular(const models::Model& model, TabularOptions options)
    : model_(model), config_(tabular_config_of(model)), options_(std::move(options)), threshold_(config_.threshold) {
  if (!options_.class_weights.empty()) class_weights_ = numbers(options_.class_weights);
}

EncodedExample Tabular::encode(const Example&, const std::string& where) const {
  throw UserError(where, "expected rows of a table, got texts");
}

LossInputs Tabular::inputs(const Batch& batch) const {
  LossInputs inputs;
  const int64_t rows = batch.size(), width = batch.category_width;
  if (batch.feature_width > 0) inputs.features = numbers(batch.features);
  if (width > 0) {  // [K, B]: a category after the other
    std::vector<int32_t> turned(batch.categories.size());
    for (int64_t b = 0; b < rows; ++b) {
      for (int64_t k = 0; k < width; ++k) {
        turned[static_cast<size_t>(k * rows + b)] = batch.categories[static_cast<size_t>(b * width + k)];
      }
    }
    inputs.categories = integers(turned);
  }
  if (config_.regression()) {
    inputs.targets = numbers(batch.targets);
  } else {
    const std::vector<int32_t> classes(batch.targets.begin(), batch.targets.end());
    inputs.labels = integers(classes);
    inputs.classes = config_.outputs();
  }
  return inputs;
}

Tensor Tabular::logits(const LossInputs& inputs, const nn::Mode& mode) const {
  const Device device = model_.parameters->all().front().value.device();
  Tensor features, categories;
  if (inputs.features.defined()) {
    const int64_t width = config_.num_features;
    features = inputs.features.reshape({inputs.features.elements() / width, width}).on(device);
  }
  if (inputs.categories.defined()) {
    const auto width = static_cast<int64_t>(config_.category_sizes.size());
    categories = inputs.categories.reshape({width, inputs.categories.elements() / width});
  }
  return model_.network->row_logits(features, categories, mode);
}

Tensor Tabular::loss(const LossInputs& inputs, const nn::Mode& mode, double normalizer) const {
  const Tensor x = logits(inputs, mode);
  if (config_.regression()) {
    return ops::mse_loss(x, inputs.targets.reshape(x.shape()).on(x.device()), normalizer);
  }
  if (options_.gamma > 0 || class_weights_.defined()) {
    return ops::focal_loss(x, inputs.labels, class_weights_, {.gamma = options_.gamma, .normalizer = normalizer});
  }
  return ops::cross_entropy(x, inputs.labels, {.label_smoothing = options_.label_smoothing, .normalizer = normalizer});
}

std::vector<float> Tabular::outputs(const Batch& batch, const nn::Mode& mode) const {
  const NoGradient guard;
  return host_values(logits(inputs(batch), mode));
}

std::unique_ptr<Scorer> Tabular::scorer(bool keep_predictions) const {
  return std::make_unique<TabularScorer>(*this, keep_predictions);
}

std::vector<float> balanced_weights(const Dataset& data, int64_t classes) {
  std::vector<double> counts(static_cast<size_t>(classes));
  for (const EncodedExample& row : data.rows) counts[static_cast<size_t>(row.targets.front())] += 1;
  const double share = static_cast<double>(data.rows.size()) / static_cast<double>(classes);
  std::vector<float> weights;
  for (const double count : counts) weights.push_back(count > 0 ? static_cast<float>(share / count) : 0.0F);
  return weights;
}

double best_threshold(const Tabular& task, const Dataset& data, ThresholdRule rule, DType dtype) {
  constexpr size_t kRows = 4096;
  ProbabilityScores scores;
  for (size_t begin = 0; begin < data.rows.size(); begin += kRows) {
    const Batch batch = pack(std::span(data.rows).subspan(begin, std::min(kRows, data.rows.size() - begin)));
    const std::vector<float> values = task.outputs(batch, {.training = false, .dtype = dtype});
    for (size_t b = 0; b < batch.rows.size(); ++b) {
      const std::vector<double> p = models::softmax(std::span(values).subspan(2 * b, 2));
      scores.add(static_cast<float>(p[1]), batch.targets[b] == 1.0F);
    }
  }
  return static_cast<double>(scores.best_threshold(rule));
}

}  // namespace suanli

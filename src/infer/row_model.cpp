#include "infer/row_model.h"

#include "autograd/tape.h"
#include "base/json_text.h"
#include "models/probabilities.h"

namespace suanli::infer {

RowModel::RowModel(const std::string& folder, const std::string& device, const std::string& precision)
    : network_(load_network(folder, models::Head::none, device, precision)),
      config_(models::tabular_config(network_.model.config().json, folder + "/config.json")),
      encoder_(TableEncoder::load(folder)) {}

Prepared RowModel::prepare(const Row& row, std::span<const size_t> columns, std::string_view where) const {
  Prepared out;
  out.example.features.resize(encoder_.number_names().size());
  out.example.categories.resize(encoder_.cardinalities().size());
  encoder_.encode(row, columns, where, out.example.features, out.example.categories);
  return out;
}

std::vector<Prediction> RowModel::predict(std::span<const Prepared> rows) const {
  const NoGradient guard;
  const auto count = static_cast<int64_t>(rows.size());
  std::vector<float> features;
  std::vector<int32_t> categories;  // [K, B]: a category after the other
  for (const Prepared& row : rows) {
    features.insert(features.end(), row.example.features.begin(), row.example.features.end());
  }
  for (size_t k = 0; k < config_.category_sizes.size(); ++k) {
    for (const Prepared& row : rows) categories.push_back(row.example.categories[k]);
  }
  Tensor numbers, indices;
  if (!features.empty()) numbers = constant_of(features, {count, config_.num_features}).on(network_.device);
  if (!categories.empty()) indices = Tensor::from(categories, {std::ssize(config_.category_sizes), count});
  const std::vector<float> values = values_on_host(network_.model.network->row_logits(numbers, indices, network_.mode));

  std::vector<Prediction> out(rows.size());
  const auto width = static_cast<size_t>(config_.outputs());
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto own = std::span(values).subspan(i * width, width);
    Prediction& answer = out[i];
    if (config_.regression()) {
      answer.numbers = {config_.unscaled(own[0])};
      answer.json = "{\"value\": ";
      append_number(answer.json, answer.numbers[0]);
    } else {
      const models::TabularDecision decision = models::decide(own, config_.threshold);
      for (const double p : models::softmax(own)) answer.numbers.push_back(static_cast<float>(p));
      answer.label = config_.labels[static_cast<size_t>(decision.label)];
      answer.json = "{\"label\": ";
      append_string(answer.json, answer.label);
      answer.json += ", \"score\": ";
      append_number(answer.json, decision.probability);
    }
    answer.json += '}';
  }
  return out;
}

}  // namespace suanli::infer

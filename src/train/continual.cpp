#include "train/continual.h"

#include <cmath>
#include <numeric>

#include "autograd/tape.h"
#include "base/error.h"
#include "base/profile.h"
#include "data/random_sites.h"
#include "data/shuffle.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/loss.h"
#include "optim/gradients.h"
#include "train/task_parts.h"

namespace suanli {

void mix_in(Dataset& fresh, const Dataset& old, double ratio, uint64_t seed) {
  const auto count = std::llround(ratio / (1 - ratio) * static_cast<double>(fresh.rows.size()));
  std::vector<size_t> order(old.rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  shuffle(&order, {seed, 0, kReplaySite});
  for (int64_t i = 0; i < count; ++i) {
    fresh.rows.push_back(old.rows[order[static_cast<size_t>(i) % order.size()]]);
    fresh.rows.back().row = static_cast<int64_t>(fresh.rows.size()) - 1;
  }
}

ElasticWeightConsolidation::ElasticWeightConsolidation(const Task& task, const models::Model& model, const Dataset& old,
                                                       double lambda)
    : lambda_(lambda) {
  const ProfileScope scope("fisher information");
  const std::vector<nn::Parameter>& parameters = model.parameters->trained();
  std::vector<std::vector<float>> squares;
  for (const nn::Parameter& parameter : parameters) {
    squares.emplace_back(static_cast<size_t>(parameter.value.elements()), 0.0F);
  }
  const auto rows = static_cast<int64_t>(old.rows.size());
  const int64_t wanted = std::min(rows, kMostExamples);
  int64_t seen = 0;
  for (int64_t i = 0; i < wanted; ++i) {
    const EncodedExample row = task.draw(old.rows[static_cast<size_t>(i * rows / wanted)], 0);
    const Batch batch = pack({&row, 1});
    const int64_t items = task.items(batch);
    if (items == 0) continue;
    const Tensor loss = task.loss(task.inputs(batch), {}, static_cast<double>(items));
    if (!std::isfinite(number_of(detach(loss)))) {
      throw UserError("ewc_lambda", "expected finite losses of the model on the replayed data, got " +
                                        std::to_string(number_of(detach(loss))) + " for row " +
                                        std::to_string(row.row));
    }
    backward(loss);
    ++seen;
    for (size_t p = 0; p < parameters.size(); ++p) {
      const Tensor& gradient = gradient_of(parameters[p].value);
      if (!gradient.defined()) continue;  // of a head that this task does not use
      const std::vector<float> values = host_values(gradient);
      for (size_t k = 0; k < values.size(); ++k) squares[p][k] += values[k] * values[k];
    }
    optim::clear_gradients(parameters);
  }
  if (seen == 0) throw UserError("ewc_lambda", "expected labelled examples in replay, got none");
  for (size_t p = 0; p < parameters.size(); ++p) {
    const Tensor value = parameters[p].value;
    for (float& square : squares[p]) square = std::sqrt(square / static_cast<float>(seen));
    const Tensor root = Tensor::from(squares[p], value.shape()).to(value.device());
    weights_.push_back({value, root, ops::multiply(ops::cast(detach(value), DType::f32), root)});
  }
}

Tensor ElasticWeightConsolidation::penalty() const {
  Tensor sum;
  for (const Weight& weight : weights_) {
    const Tensor scaled = ops::multiply(ops::cast(weight.value, DType::f32), weight.root);
    const Tensor term = ops::mse_loss(scaled, weight.anchor, 2 / lambda_);  // lambda/2 sum (sqrt(F) (w - w*))^2
    sum = sum.defined() ? ops::add(sum, term) : term;
  }
  return sum;
}

}  // namespace suanli

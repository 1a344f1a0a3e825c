// The first program of every newcomer: fit y = w x + b to 100 noisy points of y = 2 x + 1 by stochastic gradient
// descent.
//
//   linear_regression [FILE]     prints the weights and saves them as safetensors (default
//   linear_regression.safetensors)

#include <cstdio>

#include "autograd/tape.h"
#include "formats/safetensors.h"
#include "nn/layers.h"
#include "ops/initialize.h"
#include "ops/loss.h"
#include "optim/gradients.h"
#include "optim/optimizer.h"

using namespace suanli;

int main(int argc, char** argv) try {
  initialize();

  // 100 points with x in [-1, 1) and normal noise of standard deviation 0.1.
  constexpr int64_t kPoints = 100;
  RandomGenerator random({.seed = 42});
  std::vector<float> x, y;
  for (int64_t i = 0; i < kPoints; ++i) {
    x.push_back(2.0F * random.next_uniform() - 1.0F);
    y.push_back(2.0F * x.back() + 1.0F + 0.1F * random.next_normal());
  }
  const Tensor inputs = Tensor::from(x, {kPoints, 1}), targets = Tensor::from(y, {kPoints, 1});

  // One linear layer with one input and one output.
  nn::Parameters parameters({.seed = 42});
  const nn::Linear model(nn::ParameterScope(parameters, "linear"), 1, 1);
  const auto optimizer = optim::sgd(parameters.all(), {});

  constexpr int64_t kBatch = 10;
  for (int epoch = 1; epoch <= 100; ++epoch) {
    double sum = 0;
    for (int64_t first = 0; first < kPoints; first += kBatch) {
      const Tensor predicted = model(inputs.rows(first, first + kBatch));
      const Tensor loss = ops::mse_loss(predicted, targets.rows(first, first + kBatch));
      backward(loss);
      optimizer->step(/*learning_rate=*/0.01, /*max_norm=*/0);
      optim::clear_gradients(parameters.all());
      sum += static_cast<double>(loss.host<float>()[0]);
    }
    if (epoch % 10 == 0) std::printf("epoch %3d  loss %.5f\n", epoch, sum * kBatch / kPoints);
  }

  std::vector<NamedTensor> saved;
  for (const nn::Parameter& parameter : parameters.all()) {
    std::printf("%s = %.4f\n", parameter.name.c_str(), static_cast<double>(parameter.value.host<float>()[0]));
    saved.push_back({parameter.name, detach(parameter.value)});
  }
  const char* file = argc > 1 ? argv[1] : "linear_regression.safetensors";
  write_safetensors(file, saved);
  std::printf("saved to %s\n", file);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}

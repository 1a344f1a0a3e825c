/// Named parameters: names are paths, the shape is demanded at the point of use, and one constructor serves random and
/// checkpoint weights.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "ops/quantized_linear.h"

namespace suanli::nn {

/// Fills a new f32 tensor on the CPU.
using Initializer = std::function<void(const Tensor&, RandomGenerator&)>;
Initializer zeros();
Initializer ones();
/// Normal with mean 0 and the given standard deviation.
Initializer normal(double standard_deviation);
/// Uniform in [-limit, limit).
Initializer uniform(double limit);
/// Uniform within 1 / sqrt(fan), fan the number of inputs: PyTorch's default of linear layers and convolutions.
Initializer within_root(int64_t fan);

/// A parameter as its initialiser makes it: f32 on the CPU.
using InitialValue = std::function<Tensor()>;

/// Where weights come from: the parameter as f32 of the demanded shape, on the CPU (borrowed perhaps, and not to be
/// written) or on the parameters' device; undefined when there is none. What it lacks of one it takes from `initial`.
/// Throws UserError for another shape.
using WeightSource = std::function<Tensor(const std::string& name, const Shape& shape, const InitialValue& initial)>;

struct Parameter {
  std::string name;
  Tensor value;  ///< a leaf of the tape while training
};

/// A linear layer with adapters; see nn/lora.h.
struct LoraOptions {
  struct Rows {
    int64_t first = 0, count = 0;
  };
  int64_t rank = 0;
  double scaling = 1;  ///< lora_alpha / rank, or lora_alpha / sqrt(rank)
  float dropout = 0;
  std::vector<Rows> rows = {};  ///< of the layer's weight, one entry for each module that is adapted; empty: none
};

struct ParameterOptions {
  uint64_t seed = 0;                ///< of the initialisers; each draws from (seed, name)
  WeightSource source = {};         ///< null: all random
  DType matrix_dtype = DType::f32;  ///< of parameters with two dimensions: bf16 halves the memory of inference
  bool trainable = true;            ///< false: no gradients
  /// Which of the parameters that the source has stay as they are although others train, by name; null: none.
  std::function<bool(const std::string& name)> frozen = {};
  /// The adapters of the linear layer with the weight `name` of `rows` rows; null: none.
  std::function<LoraOptions(const std::string& name, int64_t rows)> lora = {};
  /// Which weights of linear layers are held in 8 bits, by name; null: none.
  std::function<bool(const std::string& name)> quantized = {};
  Device device = {};
};

/// The parameters of one model, in the order in which its modules asked for them.
class Parameters {
 public:
  explicit Parameters(ParameterOptions options) : options_(std::move(options)) {}
  /// The parameter `name`, from the source or else from `initializer`. Throws UserError when the name was asked before.
  Tensor get(const std::string& name, Shape shape, const Initializer& initializer);
  /// Whether the options ask for the weight `name` in 8 bits.
  bool quantizes(const std::string& name) const { return options_.quantized && options_.quantized(name); }
  /// The same in 8 bits where the options ask for it, else undefined. It is none of all(): nothing trains or saves it.
  ops::QuantizedWeight get_quantized(const std::string& name, Shape shape, const Initializer& initializer);
  /// A tensor that is saved with the model and not trained, such as running averages: f32, never a leaf.
  Tensor buffer(const std::string& name, Shape shape, const Initializer& initializer);
  const std::vector<Parameter>& all() const { return all_; }
  /// Those of all() that are leaves of the tape: what an optimizer updates.
  const std::vector<Parameter>& trained() const { return trained_; }
  const std::vector<Parameter>& buffers() const { return buffers_; }
  /// What is added to the linear layer with the weight `name`.
  LoraOptions lora(const std::string& name, int64_t rows) const {
    return options_.lora ? options_.lora(name, rows) : LoraOptions{};
  }
  /// Names that the source did not have and that were therefore initialised.
  const std::vector<std::string>& initialized() const { return initialized_; }
  /// Number of elements over all parameters.
  int64_t elements() const { return elements_; }
  /// A new number for each dropout, in order of construction.
  uint32_t next_site() { return next_site_++; }

 private:
  /// f32 on the options' device, borrowed where nothing is to write it. Throws UserError when the name was asked
  /// before.
  Tensor fetch(const std::string& name, const Shape& shape, const Initializer& initializer);
  bool frozen(const std::string& name) const { return options_.frozen && options_.frozen(name); }

  ParameterOptions options_;
  std::set<std::string> names_;
  int64_t elements_ = 0;
  std::vector<Parameter> all_, trained_, buffers_;
  std::vector<std::string> initialized_;
  uint32_t next_site_ = 1;
};

/// A place in the tree of names.
class ParameterScope {
 public:
  explicit ParameterScope(Parameters& parameters, std::string path = "")
      : parameters_(&parameters), path_(std::move(path)) {}
  /// The scope `path.name`.
  ParameterScope operator/(std::string_view name) const;
  Tensor get(std::string_view name, Shape shape, const Initializer& initializer) const;
  bool quantizes(std::string_view name) const;
  ops::QuantizedWeight get_quantized(std::string_view name, Shape shape, const Initializer& initializer) const;
  Tensor buffer(std::string_view name, Shape shape, const Initializer& initializer) const;
  LoraOptions lora(std::string_view name, int64_t rows) const;
  uint32_t next_site() const { return parameters_->next_site(); }

 private:
  Parameters* parameters_;
  std::string path_;
};

}  // namespace suanli::nn

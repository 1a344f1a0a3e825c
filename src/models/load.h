/// Models from and to Hugging Face folders.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "formats/safetensors.h"
#include "models/bert/heads.h"

namespace suanli::models {

struct ModelOptions {
  Head head = Head::none;
  std::vector<std::string> labels = {};  ///< of a new classifier; empty: as in config.json
  std::string problem_type = {};         ///< empty: as in config.json
  uint64_t seed = 42;                    ///< of new parameters
  bool trainable = false;                ///< parameters want gradients
  DType matrix_dtype = DType::f32;       ///< of weights with two dimensions, for inference
  bool int8 = false;                     ///< linear layers of the encoder in 8 bits, for inference
  Device device = {};
};

/// A network with its parameters and the configuration it was made from.
struct Model {
  BertConfig config = {};
  Head head = Head::none;
  std::unique_ptr<nn::Parameters> parameters = {};
  std::unique_ptr<BertWithHead> network = {};
  std::vector<std::string> initialized =
      {};  ///< Hugging Face names of parameters that were not in the checkpoint: a new head
  std::vector<std::string> unused = {};  ///< tensors of the checkpoint that this model does not have
};

/// The head that config.json's `architectures` names; none when it names a bare model or is missing.
/// Throws UserError for an architecture that is not supported.
Head head_of(const Json& config, const std::string& where);

/// Reads config.json and the weights of `folder`. Parameters of the encoder must all be there; those of the head may be
/// new, or all missing when the number of labels changed. Throws UserError that names missing, left-over or misshapen
/// tensors.
Model load_model(const std::filesystem::path& folder, const ModelOptions& options);

/// A model with random weights from a config.json.
Model new_model(const Json& config, const ModelOptions& options);

/// The parameters as Hugging Face names and shapes them (f32), sharing storage, in the order of the model.
std::vector<NamedTensor> hugging_face_tensors(const Model& model);

/// Copies tensors named as hugging_face_tensors() names them into the parameters. Throws UserError unless they are the
/// same set with the same shapes.
void set_parameters(const Model& model, const SafetensorsFile& weights);

/// Writes config.json and model.safetensors into `folder` (made where needed), each file whole.
void save_model(const Model& model, const std::filesystem::path& folder);

}  // namespace suanli::models

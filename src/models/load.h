/// Models from and to Hugging Face folders.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/safetensors.h"
#include "models/adapter.h"

namespace suanli::models {

struct ModelOptions {
  Head head = Head::none;
  std::vector<std::string> labels = {};  ///< of a new classifier; empty: as in config.json
  std::string problem_type = {};         ///< empty: as in config.json
  bool keep_labels = false;              ///< a classifier of more labels keeps what it knows of those it had
  uint64_t seed = 42;                    ///< of new parameters
  bool trainable = false;                ///< parameters want gradients
  std::optional<LoraConfig> lora = {};   ///< trains new low-rank adapters; the model itself stays as it is
  DType matrix_dtype = DType::f32;       ///< of weights with two dimensions, for inference
  bool int8 = false;                     ///< linear layers, and the head over a vocabulary that writes text, in 8 bits
  Device device = {};
};

/// A network with its parameters and the configuration it was made from.
struct Model {
  std::unique_ptr<const Family> family = {};
  Head head = Head::none;
  std::unique_ptr<nn::Parameters> parameters = {};
  std::unique_ptr<Network> network = {};
  std::unique_ptr<Adapter> adapter = {};  ///< null: no adapters are held apart from the weights
  std::vector<std::string> initialized =
      {};  ///< Hugging Face names of parameters that were not in the checkpoint: a new head
  std::vector<std::string> unused = {};  ///< tensors of the checkpoint that this model does not have

  const ModelConfig& config() const { return family->config(); }
};

/// Reads config.json and the weights of `folder`, or of an adapter and its base: to be trained, adapters stay apart
/// and go on; else they are merged into the weights. Parameters of the body must all be there; those of the head may be
/// new, or all missing when the number of labels changed. Throws UserError that names missing, left-over or misshapen
/// tensors.
Model load_model(const std::filesystem::path& folder, const ModelOptions& options);

/// A model with random weights from a config.json.
Model new_model(const Json& config, const ModelOptions& options);

/// Parameters and buffers as files name and shape them (f32), in the order of the model: sharing storage, or copies on
/// the host where files have another order of axes. Behind them, for each batch normalisation, num_batches_tracked
/// (i64, 0), which PyTorch's strict loading wants and an average with momentum does not use. Of a model with adapters
/// what was trained alone, by PEFT's names.
std::vector<NamedTensor> hugging_face_tensors(const Model& model);

/// Copies tensors named as hugging_face_tensors() names them into the parameters. Throws UserError unless they are the
/// same set with the same shapes; num_batches_tracked may be there or not.
void set_parameters(const Model& model, const SafetensorsFile& weights);

/// The file of weights that save_model() writes: model.safetensors or adapter_model.safetensors.
const char* weights_file(const Model& model);

/// Writes config.json and the weights into `folder` (made where needed), each file whole; with adapters
/// adapter_config.json, too.
void save_model(const Model& model, const std::filesystem::path& folder);

}  // namespace suanli::models

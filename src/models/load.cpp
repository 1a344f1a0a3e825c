#include "models/load.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/profile.h"
#include "formats/model_folder.h"
#include "models/bert/names.h"
#include "ops/cast.h"

namespace suanli::models {

namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size() && i < 8; ++i) out += (i > 0 ? ", " : "") + names[i];
  return names.size() > 8 ? out + " and " + std::to_string(names.size() - 8) + " more" : out;
}

/// Hugging Face's names of parameter `name` as a model with or without a head writes them.
std::vector<std::string> written_names(BertFamily family, Head head, const std::string& name) {
  HuggingFaceNames theirs = hugging_face_names(family, name);
  if (theirs.body && head != Head::none) {
    for (std::string& each : theirs.names) each = body_prefix(family) + each;
  }
  return theirs.names;
}

/// Fills parameters from a folder and remembers what was used.
class FolderSource {
 public:
  FolderSource(const ModelFolder& folder, BertFamily family, bool new_labels, Device device)
      : folder_(folder), family_(family), new_labels_(new_labels), device_(device) {}

  Tensor operator()(const std::string& name, const Shape& shape) {
    const HuggingFaceNames theirs = hugging_face_names(family_, name);
    std::vector<std::string> found;
    for (const std::string& wanted : theirs.names) {
      if (const auto stored = find(wanted, theirs.body)) found.push_back(*stored);
    }
    if (found.size() != theirs.names.size()) {
      auto& list = theirs.body && !name.starts_with("pooler") ? missing_ : new_;
      list.insert(list.end(), theirs.names.begin(), theirs.names.end());
      return {};
    }
    used_.insert(found.begin(), found.end());
    std::vector<int64_t> sizes(shape.sizes().begin(), shape.sizes().end());
    sizes[0] /= static_cast<int64_t>(found.size());
    const Shape part(sizes);
    std::vector<Tensor> stored;
    for (const std::string& each : found) {
      stored.push_back(folder_.tensor(each));
      if (stored.back().shape() == part) continue;
      if (new_labels_ && name.starts_with("classifier")) {
        new_.insert(new_.end(), theirs.names.begin(), theirs.names.end());
        return {};
      }
      throw UserError(folder_.path().string(), "expected tensor " + each + " of shape " + part.text() +
                                                   " from config.json, got " + stored.back().shape().text());
    }
    if (stored.size() == 1) return ops::cast(stored.front(), DType::f32);
    Tensor whole = Tensor::empty(shape, DType::f32, device_);
    for (size_t i = 0; i < stored.size(); ++i) {
      const auto row = static_cast<int64_t>(i);
      whole.rows(row * sizes[0], (row + 1) * sizes[0]).copy_from(ops::cast(stored[i], DType::f32));
    }
    return whole;
  }

  const std::vector<std::string>& initialized() const { return new_; }

  /// Throws when something is missing or left over; returns what may be left unused.
  std::vector<std::string> finish() const {
    if (!missing_.empty()) {
      throw UserError(folder_.path().string(), "expected all tensors of the encoder, missing " + listed(missing_));
    }
    std::vector<std::string> unused, foreign;
    for (const std::string& name : folder_.names()) {
      if (!used_.contains(name)) (may_be_unused(family_, name) ? unused : foreign).push_back(name);
    }
    if (!foreign.empty()) {
      throw UserError(
          folder_.path().string(),
          "expected only tensors of the model that config.json describes, left over are " + listed(foreign));
    }
    return unused;
  }

 private:
  /// The stored name of `wanted`: with the family's prefix, without it, or in the oldest spelling of LayerNorm.
  std::optional<std::string> find(const std::string& wanted, bool body) const {
    std::vector<std::string> candidates = {wanted};
    if (body) candidates.insert(candidates.begin(), body_prefix(family_) + wanted);
    for (std::string candidate : candidates) {
      if (folder_.contains(candidate)) return candidate;
      const size_t dot = candidate.rfind('.');
      candidate.replace(dot, std::string::npos, candidate.substr(dot) == ".weight" ? ".gamma" : ".beta");
      if (candidate.find("LayerNorm") != std::string::npos && folder_.contains(candidate)) return candidate;
    }
    return std::nullopt;
  }

  const ModelFolder& folder_;
  BertFamily family_;
  bool new_labels_;
  Device device_;
  std::vector<std::string> missing_, new_;
  std::set<std::string> used_;
};

Model build(BertConfig config, const ModelOptions& options, nn::WeightSource source) {
  if (!options.labels.empty()) config.labels = options.labels;
  if (!options.problem_type.empty()) config.problem_type = options.problem_type;
  Model model{.config = std::move(config), .head = options.head};
  std::function<bool(const std::string&)> quantized;
  if (options.int8) quantized = [](const std::string& name) { return name.starts_with("layer."); };
  model.parameters = std::make_unique<nn::Parameters>(nn::ParameterOptions{.seed = options.seed,
                                                                           .source = std::move(source),
                                                                           .matrix_dtype = options.matrix_dtype,
                                                                           .trainable = options.trainable,
                                                                           .quantized = std::move(quantized),
                                                                           .device = options.device});
  model.network = std::make_unique<BertWithHead>(nn::ParameterScope(*model.parameters), model.config, model.head);
  return model;
}

}  // namespace

Head head_of(const Json& config, const std::string& where) {
  static const std::vector<std::pair<std::string, Head>> kEndings = {
      {"ForMaskedLM", Head::masked_lm},
      {"ForSequenceClassification", Head::sequence_classification},
      {"ForTokenClassification", Head::token_classification},
      {"Model", Head::none}};
  const auto names = json_get_or<std::vector<std::string>>(config, "architectures", {}, where);
  if (names.empty()) return Head::none;
  for (const auto& [ending, head] : kEndings) {
    if (names.front().ends_with(ending)) return head;
  }
  throw UserError(where,
                  "expected an architecture that ends in ForMaskedLM, ForSequenceClassification, "
                  "ForTokenClassification or Model, got \"" +
                      names.front() + "\"");
}

Model load_model(const std::filesystem::path& path, const ModelOptions& options) {
  const ProfileScope scope("load model");
  const ModelFolder folder = ModelFolder::open(path);
  const BertConfig config = bert_config(folder.config(), (path / "config.json").string());
  FolderSource source(folder, config.family, !options.labels.empty() && options.labels != config.labels,
                      options.device);
  Model model = build(config, options, std::ref(source));
  model.initialized = source.initialized();
  model.unused = source.finish();
  return model;
}

Model new_model(const Json& config, const ModelOptions& options) {
  return build(bert_config(config, "config.json"), options, nullptr);
}

std::vector<NamedTensor> hugging_face_tensors(const Model& model) {
  std::vector<NamedTensor> out;
  for (const nn::Parameter& parameter : model.parameters->all()) {
    const auto names = written_names(model.config.family, model.head, parameter.name);
    const int64_t rows = parameter.value.dim(0) / static_cast<int64_t>(names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      const auto part = static_cast<int64_t>(i);
      out.push_back({names[i], parameter.value.rows(part * rows, (part + 1) * rows)});
    }
  }
  return out;
}

void set_parameters(const Model& model, const SafetensorsFile& weights) {
  const std::vector<NamedTensor> ours = hugging_face_tensors(model);
  if (ours.size() != weights.entries().size()) {
    throw UserError(kModelWeights, "expected " + std::to_string(ours.size()) + " tensors, got " +
                                       std::to_string(weights.entries().size()));
  }
  for (const NamedTensor& parameter : ours) {
    const Tensor stored = weights.tensor(parameter.name);
    if (stored.shape() != parameter.tensor.shape()) {
      throw UserError(kModelWeights, "expected " + parameter.name + " of shape " + parameter.tensor.shape().text() +
                                         ", got " + stored.shape().text());
    }
    parameter.tensor.copy_from(stored);
  }
}

void save_model(const Model& model, const std::filesystem::path& folder) {
  const std::vector<NamedTensor> tensors = hugging_face_tensors(model);
  write_model_folder(folder, to_json(model.config, model.head), tensors);
}

}  // namespace suanli::models

#include "models/load.h"

#include <algorithm>
#include <map>
#include <set>

#include "autograd/tape.h"
#include "base/profile.h"
#include "formats/model_folder.h"
#include "models/axes.h"
#include "ops/cast.h"

namespace suanli::models {

namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size() && i < 8; ++i) out += (i > 0 ? ", " : "") + names[i];
  return names.size() > 8 ? out + " and " + std::to_string(names.size() - 8) + " more" : out;
}

// What PyTorch's batch normalisation keeps beside running_var: how many batches it has seen.
constexpr std::string_view kVariance = ".running_var", kBatches = ".num_batches_tracked";

bool counts_batches(std::string_view name) { return name.ends_with(kBatches); }

/// The name of the counter beside a running variance; empty beside another tensor.
std::string counter_beside(const std::string& name) {
  if (!name.ends_with(kVariance)) return "";
  return name.substr(0, name.size() - kVariance.size()) + std::string(kBatches);
}

/// The names of a parameter in the files of a model with or without a head.
std::vector<std::string> written_names(const Family& family, Head head, const StoredNames& stored) {
  std::vector<std::string> names = stored.names;
  if (stored.body && head != Head::none) {
    for (std::string& name : names) name = family.body_prefix() + name;
  }
  return names;
}

/// What a file holds of a parameter of shape `shape` under name `i`: sizes in the file's order of axes.
std::vector<int64_t> stored_sizes(const Shape& shape, const StoredNames& stored, size_t i) {
  std::vector<int64_t> sizes(shape.sizes().begin(), shape.sizes().end());
  for (size_t axis = 0; axis < stored.axes.size(); ++axis) {
    sizes[static_cast<size_t>(stored.axes[axis])] = shape[static_cast<int>(axis)];
  }
  sizes[0] = stored.rows_of(i, sizes[0]);
  return sizes;
}

/// Fills parameters from a folder and remembers what was used.
class FolderSource {
 public:
  /// `kept`: for each label the one of the file whose row of the classifier it takes, or -1; empty: none. Parameters of
  /// several tensors are put together on `device`.
  FolderSource(const ModelFolder& folder, const Family& family, bool new_labels, std::vector<int64_t> kept,
               Device device)
      : folder_(folder), family_(family), new_labels_(new_labels), kept_(std::move(kept)), device_(device) {}

  Tensor operator()(const std::string& name, const Shape& shape) {
    const StoredNames stored = family_.stored_names(name);
    std::vector<std::string> found;
    for (const std::string& wanted : stored.names) {
      if (const auto there = find(wanted, stored.body)) found.push_back(*there);
    }
    if (found.size() != stored.names.size()) {
      auto& list = stored.may_be_new ? new_ : missing_;
      list.insert(list.end(), stored.names.begin(), stored.names.end());
      return {};
    }
    used_.insert(found.begin(), found.end());
    for (const std::string& each : found) used_.insert(counter_beside(each));
    std::vector<Tensor> parts;
    for (const std::string& each : found) {
      const Shape part(stored_sizes(shape, stored, parts.size()));
      parts.push_back(folder_.tensor(each));
      if (parts.back().shape() == part) continue;
      if (stored.may_be_new && stored.names.size() == 1 && may_grow(parts.back().shape(), part)) {
        return grown(ops::cast(parts.back(), DType::f32), part);
      }
      if (new_labels_ && stored.may_be_new) {
        new_.insert(new_.end(), stored.names.begin(), stored.names.end());
        return {};
      }
      throw UserError(folder_.path().string(), "expected tensor " + each + " of shape " + part.text() +
                                                   " from config.json, got " + parts.back().shape().text());
    }
    if (parts.size() > 1 && stored.axes.empty()) return stacked(parts, device_);
    const Tensor whole = parts.size() == 1 ? ops::cast(parts.front(), DType::f32) : stacked(parts, {});
    return stored.axes.empty() ? whole : permuted(whole, stored.axes);
  }

  const std::vector<std::string>& initialized() const { return new_; }

  /// Throws when something is missing or left over; returns what may be left unused.
  std::vector<std::string> finish() const {
    if (!missing_.empty()) {
      throw UserError(folder_.path().string(), "expected all tensors of the body, missing " + listed(missing_));
    }
    std::vector<std::string> unused, foreign;
    for (const std::string& name : folder_.names()) {
      if (!used_.contains(name)) (family_.may_be_unused(name) ? unused : foreign).push_back(name);
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
    if (body && !family_.body_prefix().empty()) candidates.insert(candidates.begin(), family_.body_prefix() + wanted);
    for (std::string candidate : candidates) {
      if (folder_.contains(candidate)) return candidate;
      const size_t dot = candidate.rfind('.');
      candidate.replace(dot, std::string::npos, candidate.substr(dot) == ".weight" ? ".gamma" : ".beta");
      if (candidate.find("LayerNorm") != std::string::npos && folder_.contains(candidate)) return candidate;
    }
    return std::nullopt;
  }

  /// True where `shape` has a row for each label and `stored` is the same with fewer labels.
  bool may_grow(const Shape& stored, const Shape& shape) const {
    if (shape[0] != static_cast<int64_t>(kept_.size()) || stored.rank() != shape.rank()) return false;
    return stored.elements() * shape[0] == shape.elements() * stored[0];
  }

  /// The rows of labels that were there before; zeros for new ones, which have learned nothing yet.
  Tensor grown(const Tensor& stored, const Shape& shape) const {
    Tensor whole = Tensor::zeros(shape, DType::f32);
    for (size_t label = 0; label < kept_.size(); ++label) {
      const auto row = static_cast<int64_t>(label);
      if (kept_[label] >= 0) whole.rows(row, row + 1).copy_from(stored.rows(kept_[label], kept_[label] + 1));
    }
    return whole;
  }

  /// The rows of `parts` one after another.
  static Tensor stacked(const std::vector<Tensor>& parts, Device device) {
    std::vector<int64_t> sizes(parts[0].shape().sizes().begin(), parts[0].shape().sizes().end());
    sizes[0] = 0;
    for (const Tensor& part : parts) sizes[0] += part.dim(0);
    Tensor whole = Tensor::empty(Shape(sizes), DType::f32, device);
    int64_t row = 0;
    for (const Tensor& part : parts) {
      whole.rows(row, row + part.dim(0)).copy_from(ops::cast(part, DType::f32));
      row += part.dim(0);
    }
    return whole;
  }

  const ModelFolder& folder_;
  const Family& family_;
  bool new_labels_;
  std::vector<int64_t> kept_;
  Device device_;
  std::vector<std::string> missing_, new_;
  std::set<std::string> used_;
};

/// config.json with the labels and the problem type that are asked for.
std::unique_ptr<const Family> family_of(Json json, const std::string& where, const ModelOptions& options) {
  if (!options.labels.empty()) set_labels(json, options.labels);
  if (!options.problem_type.empty()) json["problem_type"] = options.problem_type;
  return read_family(json, where);
}

Model build(std::unique_ptr<const Family> family, const ModelOptions& options, nn::WeightSource source) {
  Model model{.family = std::move(family), .head = options.head};
  std::function<bool(const std::string&)> quantized;
  if (options.int8) quantized = [](const std::string& name) { return name.starts_with("layer."); };
  model.parameters = std::make_unique<nn::Parameters>(nn::ParameterOptions{.seed = options.seed,
                                                                           .source = std::move(source),
                                                                           .matrix_dtype = options.matrix_dtype,
                                                                           .trainable = options.trainable,
                                                                           .quantized = std::move(quantized),
                                                                           .device = options.device});
  model.network = model.family->network(nn::ParameterScope(*model.parameters), model.head);
  return model;
}

/// The rows of name `i`.
Tensor part_of(const Tensor& whole, const StoredNames& stored, size_t i) {
  if (stored.names.size() == 1) return whole;
  int64_t first = 0;
  for (size_t before = 0; before < i; ++before) first += stored.rows_of(before, whole.dim(0));
  return whole.rows(first, first + stored.rows_of(i, whole.dim(0)));
}

/// Parameters, then buffers.
std::vector<nn::Parameter> all_of(const nn::Parameters& parameters) {
  std::vector<nn::Parameter> all = parameters.all();
  all.insert(all.end(), parameters.buffers().begin(), parameters.buffers().end());
  return all;
}

}  // namespace

Model load_model(const std::filesystem::path& path, const ModelOptions& options) {
  const ProfileScope scope("load model");
  const ModelFolder folder = ModelFolder::open(path);
  const std::string where = (path / "config.json").string();
  const std::vector<std::string> before = config_labels(folder.config(), where);
  const bool new_labels = !options.labels.empty() && options.labels != before;
  std::vector<int64_t> kept;
  if (new_labels && options.keep_labels) {
    for (const std::string& label : options.labels) {
      const auto found = std::ranges::find(before, label);
      kept.push_back(found == before.end() ? -1 : found - before.begin());
    }
  }
  std::unique_ptr<const Family> family = family_of(folder.config(), where, options);
  FolderSource source(folder, *family, new_labels, std::move(kept), options.device);
  Model model = build(std::move(family), options, std::ref(source));
  model.initialized = source.initialized();
  model.unused = source.finish();
  return model;
}

Model new_model(const Json& config, const ModelOptions& options) {
  return build(family_of(config, "config.json", options), options, nullptr);
}

std::vector<NamedTensor> hugging_face_tensors(const Model& model) {
  std::vector<NamedTensor> out;
  for (const nn::Parameter& parameter : all_of(*model.parameters)) {
    const StoredNames stored = model.family->stored_names(parameter.name);
    const auto names = written_names(*model.family, model.head, stored);
    const Tensor whole = stored.axes.empty()
                             ? parameter.value
                             : permuted(ops::cast(detach(parameter.value), DType::f32).to({}), inverse(stored.axes));
    for (size_t i = 0; i < names.size(); ++i) out.push_back({names[i], part_of(whole, stored, i)});
  }
  const size_t count = out.size();
  for (size_t i = 0; i < count; ++i) {
    const std::string counter = counter_beside(out[i].name);
    if (!counter.empty()) out.push_back({counter, Tensor::zeros({}, DType::i64)});
  }
  return out;
}

void set_parameters(const Model& model, const SafetensorsFile& weights) {
  const std::vector<nn::Parameter> all = all_of(*model.parameters);
  size_t count = 0;
  for (const nn::Parameter& parameter : all) count += model.family->stored_names(parameter.name).names.size();
  const auto given = static_cast<size_t>(std::ranges::count_if(
      weights.entries(), [](const SafetensorsEntry& each) { return !counts_batches(each.name); }));
  if (count != given) {
    throw UserError(kModelWeights, "expected " + std::to_string(count) + " tensors, got " + std::to_string(given));
  }
  for (const nn::Parameter& parameter : all) {
    const StoredNames stored = model.family->stored_names(parameter.name);
    const std::vector<std::string> names = written_names(*model.family, model.head, stored);
    for (size_t i = 0; i < names.size(); ++i) {
      const Shape part(stored_sizes(parameter.value.shape(), stored, i));
      const Tensor tensor = weights.tensor(names[i]);
      if (tensor.shape() != part) {
        throw UserError(kModelWeights,
                        "expected " + names[i] + " of shape " + part.text() + ", got " + tensor.shape().text());
      }
      part_of(parameter.value, stored, i).copy_from(stored.axes.empty() ? tensor : permuted(tensor, stored.axes));
    }
  }
}

void save_model(const Model& model, const std::filesystem::path& folder) {
  const std::vector<NamedTensor> tensors = hugging_face_tensors(model);
  write_model_folder(folder, config_json(*model.family, model.head), tensors);
}

}  // namespace suanli::models

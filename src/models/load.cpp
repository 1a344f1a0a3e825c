#include "models/load.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/profile.h"
#include "formats/model_folder.h"
#include "models/axes.h"
#include "models/batch_counters.h"
#include "ops/cast.h"

namespace suanli::models {

namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size() && i < 8; ++i) out += (i > 0 ? ", " : "") + names[i];
  return names.size() > 8 ? out + " and " + std::to_string(names.size() - 8) + " more" : out;
}

/// Fills parameters from a folder and remembers what was used.
class FolderSource {
 public:
  /// `kept`: for each label the one of the file whose row of the classifier it takes, or -1; empty: none. Parameters of
  /// several tensors are put together on `device`.
  FolderSource(const ModelFolder& folder, const Family& family, bool new_labels, std::vector<int64_t> kept,
               Device device)
      : folder_(folder), family_(family), new_labels_(new_labels), kept_(std::move(kept)), device_(device) {}

  Tensor operator()(const std::string& name, const Shape& shape, const nn::InitialValue& initial) {
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
      const Shape part = stored.sizes_of(parts.size(), shape);
      parts.push_back(folder_.tensor(each));
      if (parts.back().shape() == part) continue;
      if (stored.may_be_new && stored.names.size() == 1 && may_grow(parts.back().shape(), part)) {
        return grown(ops::cast(parts.back(), DType::f32), initial());
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

  /// `whole`, a new classifier, with the rows of the labels that were there before. New ones are as random as in any
  /// new classifier: while they were zeros, nothing told the encoder to tell their texts apart.
  Tensor grown(const Tensor& stored, Tensor whole) const {
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

/// `adapter`: of a model that trains adapters, with the file that they come from, if any.
Model build(std::unique_ptr<const Family> family, const ModelOptions& options, nn::WeightSource source,
            std::unique_ptr<Adapter> adapter = {}, const LoraFolder* file = nullptr) {
  Model model{.family = std::move(family), .head = options.head, .adapter = std::move(adapter)};
  const Family& of = *model.family;
  Adapter* const beside = model.adapter.get();
  std::function<bool(const std::string&)> frozen;
  std::function<nn::LoraOptions(const std::string&, int64_t)> lora;
  if (beside != nullptr) {
    frozen = [&of, beside, head = options.head](const auto& name) { return beside->freezes(of, head, name); };
    lora = [&of, beside, file, head = options.head](const auto& weight, int64_t rows) {
      return adapted_rows(*beside, of, head, file, weight, rows);
    };
  }
  std::function<bool(const std::string&)> quantized;
  if (options.int8) {
    quantized = [](const std::string& name) { return name.starts_with("layer.") || name == "head.weight"; };
  }
  model.parameters = std::make_unique<nn::Parameters>(nn::ParameterOptions{.seed = options.seed,
                                                                           .source = std::move(source),
                                                                           .matrix_dtype = options.matrix_dtype,
                                                                           .trainable = options.trainable,
                                                                           .frozen = std::move(frozen),
                                                                           .lora = std::move(lora),
                                                                           .quantized = std::move(quantized),
                                                                           .device = options.device});
  model.network = model.family->network(nn::ParameterScope(*model.parameters), model.head);
  if (beside == nullptr) return model;
  if (beside->names.empty()) {
    throw UserError("lora_target_modules",
                    "expected names of linear layers of the model, got " + listed(beside->config.target_modules));
  }
  for (const nn::Parameter& parameter : model.parameters->trained()) {
    if (!is_lora(parameter.name)) keep_whole(*beside, of, options.head, parameter.name);
  }
  return model;
}

}  // namespace

Model load_model(const std::filesystem::path& path, const ModelOptions& options) {
  const ProfileScope scope("load model");
  const std::filesystem::path base = base_model_folder(path);
  const ModelFolder folder = ModelFolder::open(base);
  const Json config = model_json(path);
  const std::string where = (path / "config.json").string();
  const std::vector<std::string> before = config_labels(config, where);
  const bool new_labels = !options.labels.empty() && options.labels != before;
  std::vector<int64_t> kept;
  if (new_labels && options.keep_labels) {
    for (const std::string& label : options.labels) {
      const auto found = std::ranges::find(before, label);
      kept.push_back(found == before.end() ? -1 : found - before.begin());
    }
  }
  std::unique_ptr<const Family> family = family_of(config, where, options);
  FolderSource source(folder, *family, new_labels, std::move(kept), options.device);
  std::optional<LoraFolder> file;
  std::optional<AdapterSource> adapted;
  nn::WeightSource weights = std::ref(source);
  std::unique_ptr<Adapter> adapter;
  if (is_adapter_folder(path)) {
    if (options.lora)
      throw UserError(path.string(), "expected a base model for a new adapter, got one: merge it first");
    file = LoraFolder::open(path);
    adapted.emplace(*file, *family, options.head, std::ref(source), !options.trainable);
    weights = std::ref(*adapted);
    if (options.trainable) adapter = std::make_unique<Adapter>(Adapter{.config = file->config});
  } else if (options.lora) {
    adapter = std::make_unique<Adapter>(new_adapter(*options.lora, *family, options.head));
    weights = [&source](const std::string& name, const Shape& shape, const nn::InitialValue& initial) {
      return is_lora(name) ? Tensor() : source(name, shape, initial);
    };
  }
  if (adapter) adapter->config.base_model_name_or_path = std::filesystem::canonical(base).string();
  Model model = build(std::move(family), options, std::move(weights), std::move(adapter), file ? &*file : nullptr);
  model.initialized = source.initialized();
  if (adapted) {
    adapted->finish();
    std::erase_if(model.initialized, [&](const std::string& name) { return adapted->holds(name); });
  }
  model.unused = source.finish();
  return model;
}

Model new_model(const Json& config, const ModelOptions& options) {
  return build(family_of(config, "config.json", options), options, nullptr);
}

}  // namespace suanli::models

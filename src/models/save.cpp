// Models to Hugging Face folders, and their parameters from such files: the way back of load.cpp.
#include <algorithm>

#include "autograd/tape.h"
#include "base/file.h"
#include "formats/model_folder.h"
#include "models/axes.h"
#include "models/batch_counters.h"
#include "models/load.h"
#include "ops/cast.h"

namespace suanli::models {

namespace {

/// The names of a parameter in the files of a model with or without a head.
std::vector<std::string> written_names(const Family& family, Head head, const StoredNames& stored) {
  std::vector<std::string> names = stored.names;
  if (stored.body && head != Head::none) {
    for (std::string& name : names) name = family.body_prefix() + name;
  }
  return names;
}

/// The rows of name `i`.
Tensor part_of(const Tensor& whole, const StoredNames& stored, size_t i) {
  if (stored.names.size() == 1) return whole;
  int64_t first = 0;
  for (size_t before = 0; before < i; ++before) first += stored.rows_of(before, whole.dim(0));
  return whole.rows(first, first + stored.rows_of(i, whole.dim(0)));
}

struct Saved {
  Tensor value;
  StoredNames stored;
  std::vector<std::string> names;  ///< in the file
};

/// What a model's file of weights holds: parameters, then buffers; or what was trained beside the base.
std::vector<Saved> saved(const Model& model) {
  std::vector<nn::Parameter> all = model.adapter ? model.parameters->trained() : model.parameters->all();
  if (!model.adapter) all.insert(all.end(), model.parameters->buffers().begin(), model.parameters->buffers().end());
  std::vector<Saved> out;
  for (const nn::Parameter& parameter : all) {
    if (is_lora(parameter.name)) {
      const StoredNames& stored = model.adapter->names.at(parameter.name);
      out.push_back({parameter.value, stored, stored.names});
      continue;
    }
    StoredNames stored = model.family->stored_names(parameter.name);
    std::vector<std::string> names = written_names(*model.family, model.head, stored);
    for (std::string& name : names) name = (model.adapter ? kAdapterPrefix : "") + name;
    out.push_back({parameter.value, std::move(stored), std::move(names)});
  }
  return out;
}

}  // namespace

std::vector<NamedTensor> hugging_face_tensors(const Model& model) {
  std::vector<NamedTensor> out;
  for (const auto& [value, stored, names] : saved(model)) {
    const Tensor whole =
        stored.axes.empty() ? value : permuted(ops::cast(detach(value), DType::f32).to({}), inverse(stored.axes));
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
  const std::vector<Saved> all = saved(model);
  size_t count = 0;
  for (const Saved& each : all) count += each.names.size();
  const auto given = static_cast<size_t>(std::ranges::count_if(
      weights.entries(), [](const SafetensorsEntry& each) { return !counts_batches(each.name); }));
  if (count != given) {
    throw UserError(weights_file(model),
                    "expected " + std::to_string(count) + " tensors, got " + std::to_string(given));
  }
  for (const auto& [value, stored, names] : all) {
    for (size_t i = 0; i < names.size(); ++i) {
      const Shape part = stored.sizes_of(i, value.shape());
      const Tensor tensor = weights.tensor(names[i]);
      if (tensor.shape() != part) {
        throw UserError(weights_file(model),
                        "expected " + names[i] + " of shape " + part.text() + ", got " + tensor.shape().text());
      }
      part_of(value, stored, i).copy_from(stored.axes.empty() ? tensor : permuted(tensor, stored.axes));
    }
  }
}

const char* weights_file(const Model& model) { return model.adapter ? kAdapterWeights : kModelWeights; }

void save_model(const Model& model, const std::filesystem::path& folder) {
  const std::vector<NamedTensor> tensors = hugging_face_tensors(model);
  if (model.adapter) {
    write_lora_folder(folder, model.adapter->config, tensors);
    return write_file_atomically(folder / "config.json",
                                 json_file_text(config_json(*model.family, model.head), "config.json"));
  }
  std::filesystem::remove(folder / kAdapterConfig);  // of an earlier run: the folder would still be an adapter
  write_model_folder(folder, config_json(*model.family, model.head), tensors);
}

}  // namespace suanli::models

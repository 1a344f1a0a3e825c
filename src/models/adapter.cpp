#include "models/adapter.h"

#include <algorithm>
#include <optional>
#include <regex>

#include "base/concat.h"
#include "base/error.h"
#include "models/axes.h"
#include "ops/arithmetic.h"
#include "ops/cast.h"
#include "ops/linear.h"

namespace suanli::models {
namespace {

constexpr std::string_view kA = ".lora_A", kB = ".lora_B", kWeight = ".weight", kAllLinear = "all-linear";

/// What PEFT adapts where nothing is said.
constexpr std::pair<const char*, std::pair<const char*, const char*>> kUsualTargets[] = {
    {"bert", {"query", "value"}},
    {"distilbert", {"q_lin", "v_lin"}},
    {"gpt2", {"c_attn", nullptr}},
    {"llama", {"q_proj", "v_proj"}},
    {"roberta", {"query", "value"}}};

std::string without(std::string text, std::string_view end) {
  if (text.ends_with(end)) text.resize(text.size() - end.size());
  return text;
}

std::string parent(const std::string& name) { return name.substr(0, name.rfind('.')); }

/// The name in the files of a model with `head`.
std::string written(const Family& family, Head head, const StoredNames& stored, size_t i) {
  return (stored.body && head != Head::none ? family.body_prefix() : "") + stored.names[i];
}

/// True for a module within one whose name ends as one of the list does (modules_to_save of PEFT).
bool within(const std::string& module, const std::vector<std::string>& ends) {
  for (size_t dot = module.find('.');; dot = module.find('.', dot + 1)) {
    const std::string_view ancestor = std::string_view(module).substr(0, dot);
    if (std::ranges::any_of(ends, [&](const std::string& end) { return ancestor.ends_with(end); })) return true;
    if (dot == std::string::npos) return false;
  }
}

/// True for a linear layer that target_modules means.
bool targeted(const std::string& module, const LoraConfig& config) {
  if (within(module, config.modules_to_save)) return false;
  const std::vector<std::string>& targets = config.target_modules;
  if (targets.size() == 1 && targets.front() == kAllLinear) return true;
  if (config.target_is_pattern) return std::regex_match(module, std::regex(targets.front()));
  return std::ranges::any_of(
      targets, [&](const std::string& target) { return module == target || module.ends_with("." + target); });
}

const char* task_type(Head head) {
  switch (head) {
    case Head::causal_lm:
      return "CAUSAL_LM";
    case Head::sequence_classification:
      return "SEQ_CLS";
    case Head::token_classification:
      return "TOKEN_CLS";
    case Head::question_answering:
      return "QUESTION_ANS";
    case Head::none:
      return "FEATURE_EXTRACTION";
    default:
      return "";
  }
}

/// The file's name of `module` with `end` behind it: with the family's prefix or without.
std::optional<std::string> find(const LoraFolder& file, const Family& family, const std::string& module,
                                std::string_view end) {
  const std::string& body = family.body_prefix();
  std::vector<std::string> candidates = {module, body + module};
  if (module.starts_with(body)) candidates.push_back(module.substr(body.size()));
  for (const std::string& candidate : candidates) {
    std::string name = concat(kAdapterPrefix, candidate, end);
    if (file.weights.find(name) != nullptr) return name;
  }
  return std::nullopt;
}

std::string weight_end(std::string_view matrix) { return concat(matrix, kWeight); }

}  // namespace

bool is_lora(const std::string& parameter) { return parameter.ends_with(kA) || parameter.ends_with(kB); }

bool Adapter::freezes(const Family& family, Head head, const std::string& parameter) const {
  if (is_lora(parameter)) return false;
  const StoredNames stored = family.stored_names(parameter);
  return !within(parent(written(family, head, stored, 0)), config.modules_to_save);
}

Adapter new_adapter(LoraConfig asked, const Family& family, Head head) {
  const auto type = json_get<std::string>(family.config().json, "model_type", "config.json");
  if (asked.target_modules.empty()) {
    const auto usual = std::ranges::find(kUsualTargets, type, [](const auto& row) { return std::string(row.first); });
    if (usual == std::end(kUsualTargets)) {
      throw UserError("lora_target_modules", "expected names of linear layers for a model of the type " + type);
    }
    asked.target_modules = {usual->second.first};
    if (usual->second.second != nullptr) asked.target_modules.emplace_back(usual->second.second);
  }
  asked.target_is_pattern = asked.target_modules == std::vector<std::string>{std::string(kAllLinear)};
  asked.task_type = task_type(head);
  if (head == Head::sequence_classification || head == Head::token_classification) {
    asked.modules_to_save = {"classifier", "score"};
  }
  if (head == Head::question_answering) asked.modules_to_save = {"qa_outputs"};
  return {.config = std::move(asked)};
}

nn::LoraOptions adapted_rows(Adapter& adapter, const Family& family, Head head, const LoraFolder* file,
                             const std::string& weight, int64_t rows) {
  const StoredNames stored = family.stored_names(weight);
  nn::LoraOptions options = {.rank = adapter.config.r,
                             .scaling = adapter.config.scaling(),
                             .dropout = static_cast<float>(adapter.config.lora_dropout)};
  StoredNames a, b;
  int64_t first = 0;
  for (size_t i = 0; i < stored.names.size(); ++i) {
    const int64_t count = stored.rows_of(i, rows);
    const std::string module = without(written(family, head, stored, i), kWeight);
    const bool adapted =
        file != nullptr ? find(*file, family, module, weight_end(kA)).has_value() : targeted(module, adapter.config);
    if (adapted) {
      options.rows.push_back({first, count});
      a.names.push_back(concat(kAdapterPrefix, module, weight_end(kA)));
      b.names.push_back(concat(kAdapterPrefix, module, weight_end(kB)));
      b.shares.push_back(count);
    }
    first += count;
  }
  if (options.rows.empty()) return options;
  const std::string layer = without(weight, kWeight);
  adapter.names[concat(layer, kA)] = std::move(a);
  adapter.names[concat(layer, kB)] = std::move(b);
  adapter.config.fan_in_fan_out = !stored.axes.empty();
  return options;
}

void keep_whole(Adapter& adapter, const Family& family, Head head, const std::string& parameter) {
  const StoredNames stored = family.stored_names(parameter);
  for (size_t i = 0; i < stored.names.size(); ++i) {
    const std::string module = parent(written(family, head, stored, i));
    if (!within(module, adapter.config.modules_to_save)) adapter.config.modules_to_save.push_back(module);
  }
}

Tensor AdapterSource::take(const std::string& name) {
  used_.insert(name);
  return ops::cast(file_.weights.tensor(name), DType::f32);
}

Tensor AdapterSource::operator()(const std::string& name, const Shape& shape, const nn::InitialValue& initial) {
  if (is_lora(name)) return merges_ ? Tensor() : lora(name, shape);
  const StoredNames stored = family_.stored_names(name);
  if (Tensor own = kept(stored, shape); own.defined()) {
    if (stored.body) base_(name, shape, initial);  // of the base, too: not left over
    return own;
  }
  const Tensor whole = base_(name, shape, initial);
  return merges_ && whole.defined() && name.ends_with(kWeight) ? merged(whole, stored) : whole;
}

Tensor AdapterSource::lora(const std::string& name, const Shape& shape) {
  const std::string_view matrix = name.ends_with(kA) ? kA : kB;
  const StoredNames stored = family_.stored_names(concat(parent(name), kWeight));
  Tensor whole = Tensor::empty(shape, DType::f32);
  int64_t row = 0;
  for (size_t i = 0; i < stored.names.size(); ++i) {
    const std::string module = without(written(family_, head_, stored, i), kWeight);
    const auto found = find(file_, family_, module, weight_end(matrix));
    if (!found) continue;
    const Tensor part = take(*found);
    if (part.shape().rank() != 2 || part.dim(1) != shape[1] || row + part.dim(0) > shape[0]) {
      throw UserError(file_.path.string(),
                      concat("expected tensor ", *found, " to fit ", shape.text(), ", got ", part.shape().text()));
    }
    whole.rows(row, row + part.dim(0)).copy_from(part);
    row += part.dim(0);
  }
  if (row == shape[0]) return whole;
  throw UserError(file_.path.string(), concat("expected ", shape[0], " rows for ", name, ", got ", row));
}

Tensor AdapterSource::merged(Tensor whole, const StoredNames& stored) {
  bool own = false;  // not to be written before
  int64_t first = 0;
  for (size_t i = 0; i < stored.names.size(); ++i) {
    const int64_t count = stored.rows_of(i, whole.dim(0));
    const std::string module = without(written(family_, head_, stored, i), kWeight);
    const auto a_name = find(file_, family_, module, weight_end(kA));
    const auto b_name = find(file_, family_, module, weight_end(kB));
    if (a_name && b_name) {
      const Tensor a = take(*a_name), b = take(*b_name);
      const bool fits =
          a.shape() == Shape({file_.config.r, whole.dim(1)}) && b.shape() == Shape({count, file_.config.r});
      if (!fits) {
        throw UserError(file_.path.string(), concat("expected lora_A and lora_B of ", module, " to be ",
                                                    Shape({file_.config.r, whole.dim(1)}).text(), " and ",
                                                    Shape({count, file_.config.r}).text(), ", got ", a.shape().text(),
                                                    " and ", b.shape().text()));
      }
      if (!own) whole = whole.clone();
      own = true;
      constexpr int kTransposed[] = {1, 0};
      const Tensor added = ops::scale(ops::linear(b, permuted(a, kTransposed), {}), file_.config.scaling());
      const Tensor rows = whole.rows(first, first + count);
      whole.rows(first, first + count).copy_from(ops::add(rows, added.to(whole.device())));
    }
    first += count;
  }
  return whole;
}

Tensor AdapterSource::kept(const StoredNames& stored, const Shape& shape) {
  std::vector<std::string> found;
  for (size_t i = 0; i < stored.names.size(); ++i) {
    if (const auto name = find(file_, family_, written(family_, head_, stored, i), "")) found.push_back(*name);
  }
  if (found.empty() || found.size() != stored.names.size()) return {};
  if (!stored.axes.empty()) throw UserError(file_.path.string(), concat("expected no whole ", found.front()));
  Tensor whole = Tensor::empty(shape, DType::f32);
  for (size_t i = 0, row = 0; i < found.size(); ++i) {
    const Tensor part = take(found[i]);
    std::vector<int64_t> sizes(shape.sizes().begin(), shape.sizes().end());
    sizes[0] = stored.rows_of(i, shape[0]);
    if (part.shape() != Shape(sizes)) {
      throw UserError(file_.path.string(),
                      concat("expected tensor ", found[i], " of shape ", Shape(sizes).text(), ", got ",
                             part.shape().text(), "; merge the adapter to train it for other labels"));
    }
    const auto first = static_cast<int64_t>(row);
    whole.rows(first, first + part.dim(0)).copy_from(part);
    row += static_cast<size_t>(part.dim(0));
  }
  return whole;
}

bool AdapterSource::holds(const std::string& name) const { return find(file_, family_, name, "").has_value(); }

void AdapterSource::finish() const {
  for (const SafetensorsEntry& entry : file_.weights.entries()) {
    const std::string name(entry.name);
    const std::string_view prefix = kAdapterPrefix;
    if (used_.contains(name) || (name.starts_with(prefix) && family_.may_be_unused(name.substr(prefix.size())))) {
      continue;
    }
    throw UserError(file_.path.string(), concat("expected only adapters of linear layers and whole modules of the "
                                                "model that config.json describes, left over is ",
                                                name));
  }
}

Json model_json(const std::filesystem::path& folder) {
  Json json = read_json(folder_with(folder, {"config.json"}) / "config.json");
  if (!is_adapter_folder(folder) || std::filesystem::exists(folder / "config.json")) return json;
  const LoraFolder adapter = LoraFolder::open(folder);
  const std::string where = folder.string();
  constexpr const char* kClassifiers[] = {"classifier.weight", "classifier.out_proj.weight", "score.weight"};
  for (const char* name : kClassifiers) {
    const SafetensorsEntry* entry = adapter.weights.find(concat(kAdapterPrefix, name));
    if (entry == nullptr) continue;
    const auto count = static_cast<size_t>(entry->shape()[0]);
    if (config_labels(json, where).size() == count) continue;
    std::vector<std::string> labels;
    for (size_t id = 0; id < count; ++id) labels.push_back(concat("LABEL_", id));
    set_labels(json, labels);
  }
  for (const Head head :
       {Head::causal_lm, Head::sequence_classification, Head::token_classification, Head::question_answering}) {
    if (adapter.config.task_type == task_type(head)) {
      json["architectures"] = {read_family(json, where)->architecture(head)};
    }
  }
  return json;
}

}  // namespace suanli::models

/// Low-rank adapters over the models of every family: which layers they change, and what their tensors are called in
/// PEFT's files.
#pragma once

#include <map>
#include <set>
#include <string>

#include "formats/lora_folder.h"
#include "models/family.h"

namespace suanli::models {

/// What trains beside a base model that stays as it is.
struct Adapter {
  LoraConfig config;
  std::map<std::string, StoredNames> names = {};  ///< each lora_A and lora_B: its tensors in files, whole names

  /// True for parameters that stay as the base has them.
  bool freezes(const Family& family, Head head, const std::string& parameter) const;
};

/// A new adapter as `asked`, with what PEFT takes where nothing is said: the target modules of the family, and the
/// classifier kept whole. Throws UserError for a family without usual target modules.
Adapter new_adapter(LoraConfig asked, const Family& family, Head head);

/// The layer with the weight `weight` of `rows` rows: its modules that `adapter` names or, where there is a `file`,
/// that the file adapts. Their names go into adapter.names.
nn::LoraOptions adapted_rows(Adapter& adapter, const Family& family, Head head, const LoraFolder* file,
                             const std::string& weight, int64_t rows);

/// Adds the modules of `parameter` to those that are kept whole, unless they are.
void keep_whole(Adapter& adapter, const Family& family, Head head, const std::string& parameter);

/// Weights of a base model under an adapter's file.
class AdapterSource {
 public:
  /// `base` gives what the file does not have. `merges`: weights come with what their adapters add,
  /// W + scaling B A (PEFT's merge_and_unload); else lora_A and lora_B come as they are.
  AdapterSource(const LoraFolder& file, const Family& family, Head head, nn::WeightSource base, bool merges)
      : file_(file), family_(family), head_(head), base_(std::move(base)), merges_(merges) {}

  Tensor operator()(const std::string& name, const Shape& shape, const nn::InitialValue& initial);
  /// True where the file has the tensor that the base calls `name`.
  bool holds(const std::string& name) const;
  /// Throws UserError when the file has tensors that the model does not.
  void finish() const;

 private:
  Tensor lora(const std::string& name, const Shape& shape);
  Tensor merged(Tensor whole, const StoredNames& stored);
  /// The whole tensor where the file has it: of a module that was kept whole, or a bias.
  Tensor kept(const StoredNames& stored, const Shape& shape);
  Tensor take(const std::string& name);

  const LoraFolder& file_;
  const Family& family_;
  Head head_;
  nn::WeightSource base_;
  bool merges_;
  std::set<std::string> used_;
};

/// True for the name of a lora_A or lora_B.
bool is_lora(const std::string& parameter);

/// config.json of a model's folder; for an adapter that has none, that of its base with the head and the number of
/// labels of the adapter. Throws UserError.
Json model_json(const std::filesystem::path& folder);

}  // namespace suanli::models

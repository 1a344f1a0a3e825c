/// A family of models: how its config.json is read, its network made and its tensors called in files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/config.h"
#include "models/image_body.h"
#include "models/network.h"
#include "nn/parameters.h"

namespace suanli::models {

/// Where a parameter stands in the files of others.
struct StoredNames {
  std::vector<std::string> names = {};  ///< tensors whose rows stacked in order are the parameter
  bool body = true;                     ///< carries body_prefix() in a model with a head
  bool may_be_new = false;              ///< a checkpoint may lack it: part of a head
  /// How the rows are divided among the names, such as {2, 1, 1}: heads of queries, keys and values; empty: equally.
  std::vector<int64_t> shares = {};
  /// The rows of name `i` among `rows` of the parameter, in the file's order of axes.
  int64_t rows_of(size_t i, int64_t rows) const;
  /// The shape of name `i` in a file, of a parameter of the shape `whole`.
  Shape sizes_of(size_t i, const Shape& whole) const;
  /// Axis i of the parameter is axis axes[i] of the stored tensor; empty: the same order.
  std::vector<int> axes = {};
};

/// One object stands for one config.json.
class Family {
 public:
  virtual ~Family() = default;
  virtual const ModelConfig& config() const = 0;
  /// Throws UserError for a head that the family does not have.
  virtual std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const = 0;
  /// The first `stages` feature maps of its network without a head. Throws UserError where it has none.
  virtual std::unique_ptr<ImageBody> image_body(nn::ParameterScope scope, int64_t stages) const;
  /// The class in transformers or torchvision, such as "BertForMaskedLM".
  virtual std::string architecture(Head head) const = 0;
  virtual StoredNames stored_names(const std::string& parameter) const = 0;
  /// Such as "bert."; "" where there is none.
  virtual std::string body_prefix() const { return ""; }
  /// True for tensors of a file that any model of the family may leave unused, such as other heads.
  virtual bool may_be_unused(const std::string& stored_name) const = 0;
};

/// The family that "model_type" names. Throws UserError for another one and for what its configuration gets wrong.
std::unique_ptr<Family> read_family(const Json& json, const std::string& where);

/// Puts id2label and label2id into a config.json in place of the labels that it has.
void set_labels(Json& json, const std::vector<std::string>& labels);

/// The config.json of a model with `head`: architectures, labels and problem type as transformers writes them.
Json config_json(const Family& family, Head head);

}  // namespace suanli::models

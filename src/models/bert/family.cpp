#include "models/bert/family.h"

#include "base/error.h"
#include "models/bert/heads.h"
#include "models/bert/names.h"

namespace suanli::models {
namespace {

class Bert final : public Family {
 public:
  explicit Bert(BertConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    return std::make_unique<BertWithHead>(scope, config_, head);
  }
  std::string architecture(Head head) const override { return class_name(config_.family) + head_suffix(head); }
  StoredNames stored_names(const std::string& parameter) const override {
    StoredNames stored = bert_stored_names(config_.family, parameter);
    stored.may_be_new = !stored.body || parameter.starts_with("pooler");
    return stored;
  }
  std::string body_prefix() const override { return models::body_prefix(config_.family); }
  bool may_be_unused(const std::string& stored_name) const override {
    return models::may_be_unused(config_.family, stored_name);
  }

 private:
  BertConfig config_;
};

}  // namespace

std::unique_ptr<Family> read_bert(const Json& json, const std::string& where) {
  return std::make_unique<Bert>(bert_config(json, where));
}

}  // namespace suanli::models

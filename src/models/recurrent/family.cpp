#include "models/recurrent/family.h"

#include "models/recurrent/recurrent.h"

namespace suanli::models {
namespace {

/// Names are those of the state_dict of a PyTorch module with the members embedding, rnn and classifier.
class RecurrentFamily final : public Family {
 public:
  explicit RecurrentFamily(RecurrentConfig config) : config_(std::move(config)) {}
  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<Network> network(nn::ParameterScope scope, Head head) const override {
    return std::make_unique<Recurrent>(scope, config_, head);
  }
  std::string architecture(Head head) const override { return std::string("Recurrent") + head_suffix(head); }
  StoredNames stored_names(const std::string& parameter) const override {
    StoredNames stored = {.names = {parameter}, .may_be_new = parameter.starts_with("classifier.")};
    if (config_.recurrence.bidirectional && parameter.starts_with("rnn.")) {
      stored.names.push_back(parameter + "_reverse");
    }
    return stored;
  }
  bool may_be_unused(const std::string& stored_name) const override { return stored_name.starts_with("classifier."); }

 private:
  RecurrentConfig config_;
};

}  // namespace

std::unique_ptr<Family> read_recurrent(const Json& json, const std::string& where) {
  return std::make_unique<RecurrentFamily>(recurrent_config(json, where));
}

}  // namespace suanli::models

/// What all models of a server have, whatever they answer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "serve/model_counts.h"
#include "serve/model_watch.h"
#include "text/tokenizer.h"

namespace suanli::serve {

struct ModelOptions {
  std::string device = "cpu";
  std::string precision = "f32";
  int64_t max_length = 0;
  int replicas = 1;
  size_t slots = 8;  ///< texts that a model writes side by side
};

class LoadedModel {
 public:
  /// Throws UserError for a baseline profile in `folder` that is malformed.
  LoadedModel(std::string name, int64_t version, const std::filesystem::path& folder)
      : name_(std::move(name)), version_(version), watch_(folder) {}
  virtual ~LoadedModel() = default;

  const std::string& name() const { return name_; }
  int64_t version() const { return version_; }
  /// "embedding", "classification", ...
  virtual const char* kind_name() const = 0;
  virtual const Tokenizer& tokenizer() const = 0;
  /// Tokens of one text.
  virtual int64_t max_length() const = 0;
  /// Computed so far.
  virtual int64_t tokens() const = 0;
  /// Requests that wait.
  virtual size_t queued() const = 0;
  virtual ModelCounts counts() const { return {}; }
  /// Names of the classes that it tells apart; empty where there are none.
  virtual const std::vector<std::string>& labels() const {
    static const std::vector<std::string> none;
    return none;
  }
  ModelWatch& watch() { return watch_; }
  const ModelWatch& watch() const { return watch_; }
  /// Takes no more work and waits for what is under way.
  virtual void drain() = 0;

 private:
  std::string name_;
  int64_t version_;
  ModelWatch watch_;
};

}  // namespace suanli::serve

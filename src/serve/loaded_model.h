/// What all models of a server have, whatever they answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "serve/model_counts.h"
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
  LoadedModel(std::string name, int64_t version) : name_(std::move(name)), version_(version) {}
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
  /// Takes no more work and waits for what is under way.
  virtual void drain() = 0;

 private:
  std::string name_;
  int64_t version_;
};

}  // namespace suanli::serve

/// The models of a server by name: load, swap, unload, while requests go on.
#pragma once

#include <map>
#include <mutex>

#include "serve/predicting_model.h"
#include "serve/served_model.h"
#include "serve/writing_model.h"

namespace suanli::serve {

class Repository {
 public:
  Repository(ModelOptions options, const Limits& limits, monitor::ServiceMetrics& metrics, int tokenizer_threads);
  ~Repository();

  /// Says that there is a model of this name; nothing is loaded. Throws UserError unless the name is 1 to 64 of
  /// [A-Za-z0-9._-].
  void add(const std::string& name, const std::filesystem::path& folder);
  /// Loads what the folder holds now, warms it, then puts it in the place of what was there, which goes on with what it
  /// has begun. Throws UserError, and changes nothing, where it cannot be loaded; RequestError for an unknown name.
  void load(const std::string& name);
  /// RequestError for an unknown name.
  void unload(const std::string& name);
  /// Loads the models that are not loaded, and those whose files have changed since they were. Throws like load().
  void load_changed();

  /// Runs what may take long beside the network thread; what it throws goes to the log.
  void in_background(std::function<void()> work);

  /// The model of that name, or with "" the only one. Throws RequestError where there is none, or it is not loaded.
  std::shared_ptr<LoadedModel> any(const std::string& name) const;
  /// The same where it answers texts, where it writes, or where it answers rows, pictures or series. Throws
  /// RequestError for a model of the other kind.
  ModelPointer get(const std::string& name) const;
  WriterPointer writer(const std::string& name) const;
  PredictorPointer predictor(const std::string& name) const;
  std::vector<std::shared_ptr<LoadedModel>> loaded() const;
  struct Entry {
    std::string name;
    bool ready;
    int64_t version;
    std::string reason;  ///< why it is not loaded, without paths
  };
  std::vector<Entry> index() const;
  /// Computed by the models that are loaded.
  int64_t tokens() const;
  /// Takes no more work and waits for what is under way.
  void drain();

 private:
  struct Slot {
    std::filesystem::path folder;
    std::shared_ptr<LoadedModel> model = {};
    int64_t version = 0;
    std::string reason = {};
    std::string stamp = {};  ///< of the files that the model was loaded from
  };
  ModelOptions options_;
  const Limits& limits_;
  monitor::ServiceMetrics& metrics_;
  boost::asio::thread_pool tokenizers_;
  mutable std::mutex mutex_;
  std::map<std::string, Slot> slots_;
};

}  // namespace suanli::serve

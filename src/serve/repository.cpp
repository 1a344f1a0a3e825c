#include "serve/repository.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cctype>
#include <set>

#include "base/concat.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

namespace suanli::serve {

namespace {

/// Names, sizes and times of the files in `folder`, in order: another text once one of them has been replaced.
std::string stamp_of(const std::filesystem::path& folder) {
  std::set<std::string> files;
  std::error_code error;  // what cannot be read says so where it is loaded
  for (auto entry = std::filesystem::recursive_directory_iterator(folder, error);
       !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    const auto size = entry->file_size(gone);
    const auto time = entry->last_write_time(gone).time_since_epoch().count();
    if (!gone) files.insert(concat(entry->path(), ' ', size, ' ', time));
  }
  std::string out;
  for (const std::string& file : files) out += file + "\n";
  return out;
}

}  // namespace

Repository::Repository(ModelOptions options, const Limits& limits, monitor::ServiceMetrics& metrics,
                       int tokenizer_threads)
    : options_(std::move(options)),
      limits_(limits),
      metrics_(metrics),
      tokenizers_(static_cast<size_t>(tokenizer_threads)) {
  metrics_.before_text([this] {
    for (const auto& model : loaded()) {
      metrics_.set("suanli_queue_size", "Requests that wait for a model", {{"model", model->name()}},
                   static_cast<double>(model->queued()));
      metrics_.set(
          "suanli_model_info", "1 for each model that is loaded, with its version and what it does",
          {{"model", model->name()}, {"version", std::to_string(model->version())}, {"kind", model->kind_name()}}, 1);
      model->watch().set_metrics(model->name(), metrics_);
    }
  });
}

Repository::~Repository() {
  drain();
  slots_.clear();
  tokenizers_.join();
}

void Repository::add(const std::string& name, const std::filesystem::path& folder) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-'; };
  if (name.empty() || name.size() > 64 || !std::ranges::all_of(name, plain)) {
    throw UserError("model", "expected a name of 1 to 64 letters, digits, dots, dashes or underscores, got \"" + name +
                                 "\"; give one with --model_name");
  }
  const std::lock_guard lock(mutex_);
  slots_[name].folder = folder;
}

void Repository::load(const std::string& name) {
  std::filesystem::path folder;
  int64_t version = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto slot = slots_.find(name);
    if (slot == slots_.end()) throw RequestError(Fault::not_found, "no model of that name");
    folder = slot->second.folder;
    version = ++slot->second.version;
  }
  std::string stamp = stamp_of(folder);
  // The last request of a model that goes may end on that model's own thread, which cannot wait for itself.
  const auto leave = [this](LoadedModel* model) { boost::asio::post(tokenizers_, [model] { delete model; }); };
  std::shared_ptr<LoadedModel> model;
  try {
    if (is_predicting(folder)) {
      model.reset(new PredictingModel(name, version, folder, options_, limits_, metrics_), leave);
    } else if (const models::Head head = served_head(folder); head == models::Head::causal_lm) {
      model.reset(new WritingModel(name, version, folder, options_, limits_, metrics_), leave);
    } else {
      model = std::shared_ptr<ServedModel>(
          new ServedModel(name, version, folder, head, options_, limits_, metrics_, tokenizers_), leave);
    }
  } catch (const std::exception&) {
    const std::lock_guard lock(mutex_);
    slots_[name].reason = "the model could not be loaded; the server's log says why";
    throw;
  }
  release_mapped_pages();
  log_info("model " + name + " version " + std::to_string(version) + ": " + model->kind_name() + ", " +
           options_.precision +
           (model->max_length() > 0 ? ", at most " + std::to_string(model->max_length()) + " tokens" : ""));
  const std::lock_guard lock(mutex_);
  Slot& slot = slots_[name];
  slot.reason.clear();
  slot.stamp = std::move(stamp);
  std::swap(slot.model, model);
}

void Repository::unload(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto slot = slots_.find(name);
  if (slot == slots_.end()) throw RequestError(Fault::not_found, "no model of that name");
  slot->second.model.reset();
  slot->second.reason = "unloaded";
}

void Repository::load_changed() {
  std::map<std::string, Slot> slots;
  {
    const std::lock_guard lock(mutex_);  // not while folders are read: requests ask for their models under it
    slots = slots_;
  }
  for (auto& [name, slot] : slots) {
    const bool loads = !slot.model || slot.stamp != stamp_of(slot.folder);
    slot.model.reset();  // what is replaced may go
    if (loads) load(name);
  }
}

void Repository::in_background(std::function<void()> work) {
  boost::asio::post(tokenizers_, [work = std::move(work)] {
    try {
      work();
    } catch (const std::exception& error) {
      log_error(error.what());
    }
  });
}

std::shared_ptr<LoadedModel> Repository::any(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  auto slot = slots_.find(name);
  if (name.empty()) {
    if (slots_.size() != 1) throw RequestError(Fault::invalid, "expected the name of a model: this server has several");
    slot = slots_.begin();
  }
  if (slot == slots_.end()) throw RequestError(Fault::not_found, "no model of that name");
  if (!slot->second.model) throw RequestError(Fault::unhealthy, "the model is not loaded: " + slot->second.reason);
  return slot->second.model;
}

ModelPointer Repository::get(const std::string& name) const {
  const auto found = any(name);
  if (auto model = std::dynamic_pointer_cast<ServedModel>(found)) return model;
  throw RequestError(Fault::invalid, std::dynamic_pointer_cast<WritingModel>(found)
                                         ? "this model writes texts: ask for completions"
                                         : "this model answers no texts: ask for predictions");
}

WriterPointer Repository::writer(const std::string& name) const {
  if (auto model = std::dynamic_pointer_cast<WritingModel>(any(name))) return model;
  throw RequestError(Fault::invalid, "this model does not write texts");
}

PredictorPointer Repository::predictor(const std::string& name) const {
  if (auto model = std::dynamic_pointer_cast<PredictingModel>(any(name))) return model;
  throw RequestError(Fault::invalid, "this model answers no rows, pictures or series");
}

std::vector<std::shared_ptr<LoadedModel>> Repository::loaded() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<LoadedModel>> out;
  for (const auto& [name, slot] : slots_) {
    if (slot.model) out.push_back(slot.model);
  }
  return out;
}

std::vector<Repository::Entry> Repository::index() const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> out;
  for (const auto& [name, slot] : slots_) out.push_back({name, slot.model != nullptr, slot.version, slot.reason});
  return out;
}

int64_t Repository::tokens() const {
  int64_t sum = 0;
  for (const auto& model : loaded()) sum += model->tokens();
  return sum;
}

void Repository::drain() {
  for (const auto& model : loaded()) model->drain();
}

}  // namespace suanli::serve

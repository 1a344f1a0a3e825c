/// What is made once of memory that will not change, and kept beside it: packed weights of a model at rest, copies of
/// indices on a device.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace suanli {

class Storage;

class DerivedForms {
 public:
  /// The form of the memory at `data` that the kernel `maker` wants: null at the first request, because who asks once
  /// gains nothing by it, then what `make` (a function without arguments to shared_ptr<const Storage>) makes.
  template <class Make>
  const Storage* get(const void* maker, const void* data, const Make& make) {
    const std::lock_guard lock(mutex_);
    Form& form = forms_[{maker, data}];
    if (!form.storage && form.requested) form.storage = make();
    form.requested = true;
    return form.storage.get();
  }

  /// The form of `maker`, made at the first request.
  template <class Make>
  std::shared_ptr<Storage> get_at_once(const void* maker, const Make& make) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Storage>& copy = copies_[maker];
    if (!copy) copy = make();
    return copy;
  }

 private:
  struct Form {
    bool requested = false;
    std::shared_ptr<const Storage> storage;
  };
  std::mutex mutex_;
  std::map<std::pair<const void*, const void*>, Form> forms_;
  std::map<const void*, std::shared_ptr<Storage>> copies_;
};

}  // namespace suanli

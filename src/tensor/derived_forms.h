/// What is made once of memory that will not change, and kept beside it: packed weights of a model at rest, copies of
/// indices on a device.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

namespace suanli {

class Storage;

class DerivedForms {
 public:
  /// How a kernel reads the memory: sizes, and whether transposed.
  using Reading = std::array<int64_t, 3>;

  /// The form of the memory at `data`, read in one way, that the kernel `maker` wants: null at the first request,
  /// because who asks once gains nothing by it, then what `make` (a function without arguments to
  /// shared_ptr<const Storage>) makes.
  template <class Make>
  const Storage* get(const void* maker, const void* data, const Reading& reading, const Make& make) {
    const std::lock_guard lock(mutex_);
    Form& form = forms_[{maker, data, reading}];
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
  std::map<std::tuple<const void*, const void*, Reading>, Form> forms_;
  std::map<const void*, std::shared_ptr<Storage>> copies_;
};

}  // namespace suanli

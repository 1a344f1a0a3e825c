/// Tensor: a value that shares its storage; dense, row-major; a view is a range of rows.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "tensor/derived_forms.h"
#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace suanli {

struct TapeEntry;  // autograd/tape.h: a tensor's place on the tape, carried but never read here

/// A block of device memory, released to its device's allocator with the last tensor that shares it.
class Storage {
 public:
  Storage(Device device, int64_t bytes);
  /// On `device`, with `bytes` of the host's memory.
  Storage(Device device, const void* host, int64_t bytes);
  /// Memory owned elsewhere, such as a mapped file: `owner` keeps it alive; it must not be written.
  Storage(const void* memory, int64_t bytes, std::shared_ptr<const void> owner);
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  ~Storage();
  void* memory() const { return memory_; }
  int64_t bytes() const { return bytes_; }
  Device device() const { return device_; }
  /// Declares that the memory will not be written again, so that kernels may keep other forms of it.
  void make_constant() { forms_ = std::make_unique<DerivedForms>(); }
  /// Where those forms are kept; null unless constant.
  DerivedForms* forms() const { return forms_.get(); }

 private:
  Device device_;
  int64_t bytes_;
  void* memory_ = nullptr;
  std::shared_ptr<const void> owner_;
  std::unique_ptr<DerivedForms> forms_;
};

class Tensor {
 public:
  /// Undefined: no storage; only defined() may be asked.
  Tensor() = default;
  /// Content unspecified. Throws EnvironmentError when memory is exhausted.
  static Tensor empty(Shape shape, DType dtype, Device device = {});
  static Tensor zeros(Shape shape, DType dtype, Device device = {});
  /// A copy of host values on the CPU; their number must be shape.elements() (throws UserError).
  template <class T>
  static Tensor from(std::span<const T> values, Shape shape) {
    Tensor out = empty(shape, dtype_of<T>);
    if (static_cast<int64_t>(values.size()) != shape.elements()) {
      throw UserError("tensor", "expected " + std::to_string(shape.elements()) + " values for " + shape.text() +
                                    ", got " + std::to_string(values.size()));
    }
    std::copy(values.begin(), values.end(), out.host<T>().begin());
    return out;
  }
  template <class T>
  static Tensor from(const std::vector<T>& values, Shape shape) {
    return from(std::span<const T>(values), shape);
  }
  /// Read-only tensor over foreign CPU memory that `owner` keeps alive.
  static Tensor borrow(const void* memory, Shape shape, DType dtype, std::shared_ptr<const void> owner);

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  /// Size of dimension `i`; negative counts from the end.
  int64_t dim(int i) const { return shape_.dim(i); }
  int64_t elements() const { return shape_.elements(); }
  DType dtype() const { return dtype_; }
  Device device() const { return storage_->device(); }
  int64_t bytes() const { return elements() * size_of(dtype_); }
  /// First element, in the device's memory.
  void* data() const { return static_cast<std::byte*>(storage_->memory()) + offset_; }
  /// The elements on the CPU. Throws UserError unless the tensor is on the CPU and of type T.
  template <class T>
  std::span<T> host() const {
    check_host(dtype_of<T>);
    return {static_cast<T*>(data()), static_cast<size_t>(elements())};
  }

  /// Rows [begin, end) of the first dimension; shares storage. Throws UserError outside 0 <= begin <= end <= dim(0).
  Tensor rows(int64_t begin, int64_t end) const;
  /// The same elements under another shape; shares storage. Throws UserError when the counts differ.
  Tensor reshape(Shape shape) const;
  /// A copy with its own storage on `device`.
  Tensor to(Device device) const;
  Tensor clone() const { return to(device()); }
  /// The same elements on `device`: this tensor where it is there already; of a constant tensor of the host one copy of
  /// its whole storage, made at the first request and kept, for it and its views.
  Tensor on(Device device) const;
  /// Copies the elements of `source` (same count and dtype) into this tensor's storage.
  void copy_from(const Tensor& source) const;
  void fill_zero() const;

  /// True when no other tensor shares the storage, so that it may be overwritten.
  bool unique() const { return storage_.use_count() == 1; }
  bool shares_storage(const Tensor& other) const { return storage_ == other.storage_; }

  /// Storage::make_constant() and forms() of its storage.
  void make_constant() const { storage_->make_constant(); }
  DerivedForms* forms() const { return storage_->forms(); }

  /// The tape's slot; see autograd/tape.h.
  const std::shared_ptr<TapeEntry>& tape() const { return tape_; }
  void set_tape(std::shared_ptr<TapeEntry> entry) { tape_ = std::move(entry); }

 private:
  void check_host(DType wanted) const;

  std::shared_ptr<Storage> storage_;
  int64_t offset_ = 0;  // bytes
  Shape shape_;
  DType dtype_ = DType::f32;
  std::shared_ptr<TapeEntry> tape_;
};

/// A result on its way to the host: what the tensor holds once all work queued before is done, whatever is queued
/// after. Keeps the tensor alive; nothing may write to it before wait().
class Fetch {
 public:
  explicit Fetch(Tensor tensor);
  /// The values, on the CPU.
  Tensor wait() const;

 private:
  Tensor tensor_;
  std::shared_ptr<const void> mark_;
};

}  // namespace suanli

#include "tensor/tensor.h"

#include <utility>

namespace suanli {

Storage::Storage(Device device, int64_t bytes)
    : device_(device), bytes_(bytes), memory_(backend(device).allocate(std::max<int64_t>(bytes, 1))) {}

Storage::Storage(Device device, const void* host, int64_t bytes)
    : device_(device),
      bytes_(bytes),
      memory_(bytes == 0 ? backend(device).allocate(1) : backend(device).upload(host, bytes)) {}

Storage::Storage(const void* memory, int64_t bytes, std::shared_ptr<const void> owner)
    : bytes_(bytes), memory_(const_cast<void*>(memory)), owner_(std::move(owner)) {}

Storage::~Storage() {
  if (owner_ == nullptr) backend(device_).release(memory_, std::max<int64_t>(bytes_, 1));
}

namespace {
int64_t bytes_of(const Shape& shape, DType dtype) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(shape.elements(), size_of(dtype), &bytes)) {
    throw UserError("tensor", "expected less than 2^63 bytes, got " + shape.text() + " of " + name_of(dtype));
  }
  return bytes;
}
}  // namespace

Tensor Tensor::empty(Shape shape, DType dtype, Device device) {
  Tensor out;
  out.storage_ = std::make_shared<Storage>(device, bytes_of(shape, dtype));
  out.shape_ = shape;
  out.dtype_ = dtype;
  return out;
}

Tensor Tensor::zeros(Shape shape, DType dtype, Device device) {
  Tensor out = empty(shape, dtype, device);
  out.fill_zero();
  return out;
}

Tensor Tensor::borrow(const void* memory, Shape shape, DType dtype, std::shared_ptr<const void> owner) {
  Tensor out;
  out.storage_ = std::make_shared<Storage>(memory, bytes_of(shape, dtype), std::move(owner));
  out.shape_ = shape;
  out.dtype_ = dtype;
  return out;
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  if (begin < 0 || begin > end || end > dim(0)) {
    throw UserError("tensor.rows", "expected 0 <= begin <= end <= " + std::to_string(dim(0)) + ", got " +
                                       std::to_string(begin) + " and " + std::to_string(end));
  }
  std::vector<int64_t> sizes(shape_.sizes().begin(), shape_.sizes().end());
  sizes[0] = end - begin;
  Tensor out;
  out.storage_ = storage_;
  out.dtype_ = dtype_;
  out.shape_ = Shape(sizes);
  const int64_t row_bytes = dim(0) == 0 ? 0 : bytes() / dim(0);
  out.offset_ = offset_ + begin * row_bytes;
  return out;
}

Tensor Tensor::reshape(Shape shape) const {
  if (shape.elements() != elements()) {
    throw UserError("tensor.reshape", "expected a shape of " + std::to_string(elements()) + " elements for " +
                                          shape_.text() + ", got " + shape.text());
  }
  Tensor out = *this;
  out.shape_ = shape;
  out.tape_ = nullptr;
  return out;
}

Tensor Tensor::to(Device device) const {
  if (this->device() == Device{} && device != Device{}) {
    Tensor out;
    out.storage_ = std::make_shared<Storage>(device, data(), bytes());
    out.shape_ = shape_;
    out.dtype_ = dtype_;
    return out;
  }
  if (this->device() != Device{} && device == Device{}) return Fetch(*this).wait();
  Tensor out = empty(shape_, dtype_, device);
  out.copy_from(*this);
  return out;
}

Tensor Tensor::on(Device device) const {
  if (device == this->device()) return *this;
  if (forms() == nullptr || this->device() != Device{}) return to(device);
  Tensor out = *this;
  out.tape_ = nullptr;
  out.storage_ = forms()->get_at_once(
      &backend(device), [&] { return std::make_shared<Storage>(device, storage_->memory(), storage_->bytes()); });
  return out;
}

void Tensor::copy_from(const Tensor& source) const {
  if (source.elements() != elements() || source.dtype() != dtype_) {
    throw UserError("tensor.copy_from", "expected " + shape_.text() + " of " + name_of(dtype_) + ", got " +
                                            source.shape().text() + " of " + name_of(source.dtype()));
  }
  DeviceBackend& active = backend(device().type != DeviceType::cpu ? device() : source.device());
  Stream& stream = active.default_stream();
  active.copy(data(), device(), source.data(), source.device(), bytes(), stream);
}

void Tensor::fill_zero() const {
  DeviceBackend& active = backend(device());
  active.fill_zero(data(), bytes(), active.default_stream());
}

Fetch::Fetch(Tensor tensor) : tensor_(std::move(tensor)), mark_(backend(tensor_.device()).mark()) {}

Tensor Fetch::wait() const {
  Tensor out = Tensor::empty(tensor_.shape(), tensor_.dtype());
  backend(tensor_.device()).fetch(out.data(), tensor_.data(), tensor_.bytes(), mark_.get());
  return out;
}

void Tensor::check_host(DType wanted) const {
  if (dtype_ != wanted || device().type != DeviceType::cpu) {
    throw UserError("tensor.host", std::string("expected ") + name_of(wanted) + " on cpu, got " + name_of(dtype_) +
                                       " on " + device().text());
  }
}

}  // namespace suanli

#include "ops/check.h"

#include <algorithm>

#include "base/profile.h"

namespace suanli::ops {

namespace {
std::string what(const Tensor& tensor) { return tensor.shape().text() + " " + name_of(tensor.dtype()); }
}  // namespace

void check_tensor(const char* op, const char* name, const Tensor& tensor, int rank,
                  std::initializer_list<DType> dtypes) {
  activity.op = op;
  if (!tensor.defined()) throw UserError(op, std::string("expected ") + name + ", got an undefined tensor");
  if (tensor.shape().rank() != rank) {
    throw UserError(
        op, std::string("expected ") + name + " with " + std::to_string(rank) + " dimensions, got " + what(tensor));
  }
  if (std::find(dtypes.begin(), dtypes.end(), tensor.dtype()) == dtypes.end()) {
    std::string names;
    for (DType dtype : dtypes) names += std::string(names.empty() ? "" : ", ") + name_of(dtype);
    throw UserError(op, std::string("expected ") + name + " of dtype " + names + ", got " + what(tensor));
  }
}

void check_shape(const char* op, const char* name, const Tensor& tensor, const Shape& wanted) {
  if (!tensor.defined() || tensor.shape() != wanted) {
    throw UserError(op, std::string("expected ") + name + " of shape " + wanted.text() + ", got " +
                            (tensor.defined() ? what(tensor) : "an undefined tensor"));
  }
}

void check_dtype(const char* op, const char* name, const Tensor& tensor, DType wanted) {
  if (tensor.dtype() != wanted) {
    throw UserError(op, std::string("expected ") + name + " of dtype " + name_of(wanted) + ", got " + what(tensor));
  }
}

void check_device(const char* op, const Tensor& a, const Tensor& b) {
  if (a.device() != b.device()) {
    throw UserError(op, "expected tensors on one device, got " + a.device().text() + " and " + b.device().text());
  }
}

Tensor beside(const Tensor& data, const Tensor& indices) { return indices.on(data.device()); }

Tensor on_host(const Tensor& indices) { return indices.on({}); }

SequenceLengths check_offsets(const char* op, const Tensor& offsets, int64_t rows) {
  check_tensor(op, "offsets", offsets, 1, {DType::i32});
  const Tensor host = on_host(offsets);
  const auto values = host.host<int32_t>();
  SequenceLengths lengths;
  bool rising = !values.empty() && values.front() == 0 && values.back() == rows;
  for (size_t b = 1; b < values.size() && rising; ++b) {
    rising = values[b] >= values[b - 1];
    const int64_t length = values[b] - values[b - 1];
    lengths.longest = std::max(lengths.longest, length);
    lengths.pairs += static_cast<double>(length * length);
  }
  if (!rising) throw UserError(op, "expected offsets that rise from 0 to the " + std::to_string(rows) + " rows");
  return lengths;
}

}  // namespace suanli::ops

#include "ops/rotary_embedding.h"

#include "autograd/tape.h"
#include "kernels/rotary_embedding.h"
#include "ops/check.h"

namespace suanli::ops {

namespace {

Tensor rotate(const Tensor& x, const Tensor& positions, const Tensor& table, int64_t heads, bool inverse) {
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  kernels::rotary_embedding({.x = x.data(),
                             .table = table.data(),
                             .positions = static_cast<const int32_t*>(positions.data()),
                             .y = y.data(),
                             .tokens = x.dim(0),
                             .width = x.dim(1),
                             .heads = heads,
                             .head_size = table.dim(1),
                             .inverse = inverse,
                             .dtype = x.dtype()},
                            stream_of(x));
  return y;
}

}  // namespace

Tensor rotary_embedding(const Tensor& x, const Tensor& positions, const Tensor& table, int64_t heads) {
  check_tensor("rotary_embedding", "x", x, 2, kFloating);
  check_tensor("rotary_embedding", "table", table, 2, {accumulation_dtype(x.dtype())});
  check_device("rotary_embedding", x, table);
  check_tensor("rotary_embedding", "positions", positions, 1, {DType::i32});
  check_shape("rotary_embedding", "positions", positions, {x.dim(0)});
  if (table.dim(1) % 2 != 0 || heads < 0 || heads * table.dim(1) > x.dim(1)) {
    throw UserError("rotary_embedding", "expected an even head size and " + std::to_string(heads) +
                                            " heads within the columns of x, got a table " + table.shape().text() +
                                            " and x " + x.shape().text());
  }
  const Tensor host = on_host(positions);
  for (const int32_t position : host.host<int32_t>()) {
    if (position < 0 || position >= table.dim(0)) {
      throw UserError("rotary_embedding", "expected positions in 0.." + std::to_string(table.dim(0) - 1) + ", got " +
                                              std::to_string(position));
    }
  }
  const Tensor on_device = beside(x, positions);
  Tensor y = rotate(x, on_device, table, heads, false);
  record("rotary_embedding", y, {x}, [on_device, table = detach(table), heads](const Tensor& dy) {
    return std::vector<Tensor>{rotate(dy, on_device, table, heads, true)};
  });
  return y;
}

}  // namespace suanli::ops

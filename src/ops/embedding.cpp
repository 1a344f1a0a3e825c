#include "ops/embedding.h"

#include <algorithm>

#include "autograd/tape.h"
#include "kernels/embedding.h"
#include "ops/check.h"

namespace suanli::ops {

namespace {

void check_ids(const char* op, const Tensor& ids, int64_t vocab) {
  check_tensor(op, "ids", ids, 1, {DType::i32});
  const Tensor host = on_host(ids);
  for (const int32_t id : host.host<int32_t>()) {
    if (id < 0 || id >= vocab) {
      throw UserError(op, "expected ids in 0.." + std::to_string(vocab - 1) + ", got " + std::to_string(id));
    }
  }
}

Tensor lookup(const char* op, const Tensor& table, const Tensor& indices, DType dtype, int64_t first) {
  check_tensor(op, "table", table, 2, kFloating);
  check_ids(op, indices, table.dim(0) - first);
  const Tensor ids = beside(table, indices);
  if (!is_floating(dtype)) throw UserError(op, std::string("expected a floating dtype, got ") + name_of(dtype));
  Tensor y = Tensor::empty({ids.dim(0), table.dim(1)}, dtype, table.device());
  const Tensor used = table.rows(first, table.dim(0));
  kernels::embedding_forward({used.data(), static_cast<const int32_t*>(ids.data()), y.data(), ids.dim(0), used.dim(0),
                              used.dim(1), table.dtype(), dtype},
                             stream_of(table));
  record(op, y, {table}, [ids, first, shape = table.shape(), table_dtype = table.dtype()](const Tensor& dy) {
    Tensor dtable = Tensor::empty(shape, table_dtype, dy.device());
    if (first > 0) dtable.rows(0, first).fill_zero();
    kernels::embedding_backward(
        {dy.data(), static_cast<const int32_t*>(ids.data()), dtable.rows(first, shape[0]).data(), dy.dim(0),
         shape[0] - first, shape[1], table_dtype, dy.dtype()},
        stream_of(dy));
    return std::vector<Tensor>{dtable};
  });
  return y;
}

}  // namespace

Tensor embedding(const Tensor& table, const Tensor& ids, DType dtype, int64_t first) {
  if (table.defined() && (first < 0 || first > table.dim(0))) {
    throw UserError("embedding",
                    "expected a first row in 0.." + std::to_string(table.dim(0)) + ", got " + std::to_string(first));
  }
  return lookup("embedding", table, ids, dtype, first);
}
Tensor index_select(const Tensor& x, const Tensor& rows) { return lookup("index_select", x, rows, x.dtype(), 0); }

}  // namespace suanli::ops

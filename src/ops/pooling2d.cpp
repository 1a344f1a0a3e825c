#include "ops/pooling2d.h"

#include "autograd/tape.h"
#include "base/concat.h"
#include "kernels/pooling2d.h"
#include "ops/check.h"
#include "ops/layout.h"
#include "ops/windows.h"

namespace suanli::ops {

namespace {

kernels::Windows pool_windows(const char* op, const Tensor& x, const Pool2dOptions& options) {
  check_tensor(op, "x", x, 4, kFloating);
  WindowOptions window = {options.kernel, options.stride, options.padding, {1, 1}, options.ceil_mode};
  for (size_t i = 0; i < 2; ++i) {
    if (window.stride[i] == 0) window.stride[i] = window.kernel[i];
    if (2 * window.padding[i] > window.kernel[i]) {
      throw UserError(op, concat("expected a padding of at most half the kernel, got ", window.padding[i], " for ",
                                 window.kernel[i]));
    }
  }
  return windows_over(op, x.shape(), x.dim(3), window);
}

Tensor empty_pooled(const Tensor& x, const kernels::Windows& w) {
  return Tensor::empty({w.images, w.vertical.out, w.horizontal.out, w.channels}, x.dtype(), x.device());
}

}  // namespace

Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options) {
  const kernels::Windows w = pool_windows("max_pool2d", x, options);
  Tensor y = empty_pooled(x, w);
  const bool want = wants_gradient(x);
  const Tensor tap = want ? Tensor::empty(y.shape(), DType::i32, x.device()) : Tensor();
  kernels::max_pool_forward({x.data(), y.data(), want ? static_cast<int32_t*>(tap.data()) : nullptr, w, x.dtype()},
                            stream_of(x));
  record("max_pool2d", y, {x}, [tap, w, shape = x.shape()](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    kernels::max_pool_backward({dy.data(), static_cast<const int32_t*>(tap.data()), dx.data(), w, dy.dtype()},
                               stream_of(dy));
    return std::vector<Tensor>{dx};
  });
  return y;
}

Tensor avg_pool2d(const Tensor& x, const Pool2dOptions& options) {
  const kernels::Windows w = pool_windows("avg_pool2d", x, options);
  Tensor y = empty_pooled(x, w);
  const bool counts = options.count_include_pad;
  kernels::avg_pool_forward({x.data(), y.data(), w, counts, x.dtype()}, stream_of(x));
  record("avg_pool2d", y, {x}, [w, counts, shape = x.shape()](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    kernels::avg_pool_backward({dy.data(), dx.data(), w, counts, dy.dtype()}, stream_of(dy));
    return std::vector<Tensor>{dx};
  });
  return y;
}

Tensor global_avg_pool2d(const Tensor& x) {
  check_tensor("avg_pool2d", "x", x, 4, kFloating);
  return reshape(avg_pool2d(x, {.kernel = {x.dim(1), x.dim(2)}}), {x.dim(0), x.dim(3)});
}

}  // namespace suanli::ops

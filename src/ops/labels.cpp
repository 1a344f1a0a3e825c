#include "ops/labels.h"

#include <algorithm>

#include "base/error.h"
#include "ops/check.h"

namespace suanli::ops {

int64_t counted_labels(const char* op, const Tensor& labels, int64_t rows, int64_t classes,
                       std::optional<int32_t> ignore) {
  check_tensor(op, "labels", labels, 1, {DType::i32});
  check_shape(op, "labels", labels, {rows});
  const Tensor host = on_host(labels);
  int64_t counted = 0;
  for (const int32_t label : host.host<int32_t>()) {
    if (label == ignore) continue;
    if (label < 0 || label >= classes) {
      const std::string ignored = ignore ? " or " + std::to_string(*ignore) + " (ignored)" : "";
      throw UserError(
          op, "expected labels in 0.." + std::to_string(classes - 1) + ignored + ", got " + std::to_string(label));
    }
    ++counted;
  }
  return counted;
}

double checked_scale(const char* op, double normalizer, int64_t count) {
  if (!(normalizer >= 0)) throw UserError(op, "expected a normalizer >= 0, got " + std::to_string(normalizer));
  return 1.0 / (normalizer > 0 ? normalizer : static_cast<double>(std::max<int64_t>(count, 1)));
}

void check_label_smoothing(const char* op, double label_smoothing) {
  if (!(label_smoothing >= 0 && label_smoothing < 1)) {
    throw UserError(op, "expected label_smoothing in [0, 1), got " + std::to_string(label_smoothing));
  }
}

}  // namespace suanli::ops

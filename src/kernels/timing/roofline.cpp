#include "kernels/timing/roofline.h"

#include <algorithm>

#include "kernels/cpu/peak.h"

namespace suanli::kernels {

Roofline measured_roofline() {
  Roofline roofline;
  for (const DType dtype : {DType::f32, DType::bf16, DType::i8}) {
    roofline.flops_per_second[name_of(dtype)] = measured_peak(dtype, 0.2);
  }
  double& bf16 = roofline.flops_per_second["bf16"];
  bf16 = std::max(bf16, roofline.flops_per_second["f32"]);
  roofline.bytes_per_second = measured_read_bandwidth();
  return roofline;
}

}  // namespace suanli::kernels

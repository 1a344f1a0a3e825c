#include "nn/precision.h"

#include "base/error.h"
#include "kernels/cpu/peak.h"
#include "kernels/machine.h"

namespace suanli::nn {

DType precision_named(const std::string& name, Device device) {
  if (name == "f32") return DType::f32;
  if (name == "bf16") return DType::bf16;
  if (name == "f16") {
    if (device.type == DeviceType::cuda) return DType::f16;
    throw UserError("precision", "expected auto, f32 or bf16 on " + device.text() +
                                     ", got f16, which CUDA devices compute in; bf16 needs no loss scaling");
  }
  if (name != "auto") throw UserError("precision", "expected auto, f32, bf16 or f16, got \"" + name + "\"");
  if (device.type == DeviceType::cuda) return DType::bf16;
  const double f32 = kernels::measured_peak(DType::f32, 0.01), bf16 = kernels::measured_peak(DType::bf16, 0.01);
  return bf16 >= 1.5 * f32 ? DType::bf16 : DType::f32;
}

InferencePrecision inference_precision_named(const std::string& name, Device device) {
  if (name != "int8") return {precision_named(name, device), false};
  return {device.type == DeviceType::cuda || machine().isa == Isa::amx ? DType::bf16 : DType::f32, true};
}

}  // namespace suanli::nn

/// Precision is a policy of the run: which dtype activations have.
#pragma once

#include <string>

#include "tensor/device.h"
#include "tensor/dtype.h"

namespace suanli::nn {

/// "f32" and "bf16" as they say; "f16", which trains with loss scaling, on CUDA devices alone; "auto" is bf16 where the
/// machine's measured bf16 rate is at least 1.5 times its f32 rate (AMX; fast dot products), else f32; measuring takes
/// 20 ms. On a CUDA device it is bf16, which every GPU that the kernels run on multiplies at many times the rate of
/// f32. Throws UserError for another name and for f16 on a CPU.
DType precision_named(const std::string& name, Device device = {});

/// What inference computes in: int8 holds the weights of the encoder's linear layers in 8 bits and quantises what goes
/// into them; all other activations and weights have `dtype`.
struct InferencePrecision {
  DType dtype = DType::f32;
  bool int8 = false;
  /// "int8", or the name of the dtype.
  const char* name() const { return int8 ? "int8" : name_of(dtype); }
};

/// "int8" beside the names of precision_named(), which say what they say there; dtype is then bf16 where the machine
/// has AMX and on a CUDA device, else f32. Throws UserError for another name.
InferencePrecision inference_precision_named(const std::string& name, Device device = {});

}  // namespace suanli::nn

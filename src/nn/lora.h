/// Low-rank adaptation of linear layers (LoRA, Hu et al. 2022): few weights learn beside many that stay.
#pragma once

#include "nn/mode.h"
#include "nn/parameters.h"

namespace suanli::nn {

/// What is added to a linear layer x [T,in] -> y [T,out]. The layer's weight is the weights of one or more modules, one
/// below the other (such as queries, keys and values), of which M are adapted; module m, rows [first, first + count) of
/// the weight, adds
///   scaling dropout(x) A_m^T B_m^T,   A_m [r,in], B_m [count,r]
/// to its columns of y. Modules of one layer share one dropout mask. Parameters: lora_A [M r, in], PyTorch's default
/// for linear layers at first, and lora_B [sum of counts, r], zero at first: training begins at the base model.
class Lora {
 public:
  Lora(ParameterScope scope, int64_t in, int64_t out, const LoraOptions& options);
  /// x [T,in] -> [T,out].
  Tensor operator()(const Tensor& x, const Mode& mode) const;

 private:
  /// B as one matrix [out, M r]: B_m in the rows and columns of module m, zeros elsewhere.
  Tensor placed() const;

  double scaling_;
  Dropout dropout_;
  Tensor a_, b_;
  /// Where the modules are more than one, or not the whole layer: the row of lora_B for each row of the layer [out]
  /// i32; M unit matrices one below the other [M r, r]; 1 where `placed` may differ from 0 [out, M r].
  Tensor rows_, repeat_, mask_;
};

}  // namespace suanli::nn

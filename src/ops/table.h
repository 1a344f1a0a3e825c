/// The table of ops: what exists, which PyTorch function it matches, which plain composition a fused op equals.
#pragma once

#include <span>

namespace suanli::ops {

struct OpRow {
  const char* name;
  const char* torch;                  ///< the PyTorch function of the same meaning
  const char* composition;            ///< for a fused op, what it equals in plain ops; null otherwise
  const char* no_gradient = nullptr;  ///< why there is none; null: there is one
};

/// Every op, in alphabetical order. tests/ops demands of each row: reference, gradient check in f64 (of one without a
/// gradient: an error where one is wanted), dtype rows, error inputs, comparison with PyTorch.
std::span<const OpRow> op_table();

}  // namespace suanli::ops

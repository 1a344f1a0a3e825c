/// What the CPU can do, as the kernels ask it; `SUANLI_ISA` caps it so that every path can be tested anywhere.
#pragma once

#include <string>

namespace suanli {

/// Instruction sets in rising order: each includes the ones before it.
enum class Isa { scalar, avx2, avx512, amx };

struct Machine {
  Isa isa = Isa::scalar;     ///< the highest usable set, capped by SUANLI_ISA=scalar|avx2|avx512|amx
  bool avx512_bf16 = false;  ///< dot products of bf16 pairs
  bool avx512_vnni = false;  ///< dot products of int8
  int threads = 1;           ///< OpenMP threads in use
  std::string cpu_model;     ///< "Intel(R) Xeon(R) ..."
};

/// The machine as it is used; read once. Throws UserError when SUANLI_ISA is none of the names.
const Machine& machine();

/// "scalar", "avx2", "avx512", "amx".
const char* name_of(Isa isa);

}  // namespace suanli

/// cuBLASLt's functions, found at run time: the program links no CUDA library.
#pragma once

#include <cublasLt.h>

#include <string>

namespace suanli::kernels::cuda {

// clang-format off
#define SUANLI_CUBLASLT_FUNCTIONS(F)                                                                         \
  F(cublasLtCreate) F(cublasLtGetVersion) F(cublasLtMatmul)                                                  \
  F(cublasLtMatmulDescCreate) F(cublasLtMatmulDescSetAttribute) F(cublasLtMatmulDescDestroy)                 \
  F(cublasLtMatrixLayoutCreate) F(cublasLtMatrixLayoutDestroy)                                               \
  F(cublasLtMatmulPreferenceCreate) F(cublasLtMatmulPreferenceSetAttribute) F(cublasLtMatmulPreferenceDestroy) \
  F(cublasLtMatmulAlgoGetHeuristic)
// clang-format on

struct Cublaslt {
#define SUANLI_DECLARE(name) decltype(&::name) name = nullptr;  // NOLINT(bugprone-macro-parentheses)
  SUANLI_CUBLASLT_FUNCTIONS(SUANLI_DECLARE)
#undef SUANLI_DECLARE
  std::string problem;  ///< why there is no library, and the way out; empty where there is one
};

/// The library, opened at the first call.
const Cublaslt& cublaslt();

}  // namespace suanli::kernels::cuda

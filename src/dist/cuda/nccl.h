/// NCCL's functions, found at run time: the program links no CUDA library.
#pragma once

#include <nccl.h>

#include <string>

namespace suanli::dist {

// clang-format off
#define SUANLI_NCCL_FUNCTIONS(F)                                                                      \
  F(ncclGetVersion) F(ncclGetErrorString) F(ncclGetLastError)                                         \
  F(ncclGetUniqueId) F(ncclCommInitRankConfig) F(ncclCommGetAsyncError) F(ncclCommAbort)              \
  F(ncclGroupStart) F(ncclGroupEnd) F(ncclAllReduce) F(ncclBroadcast)
// clang-format on

struct Nccl {
#define SUANLI_DECLARE(name) decltype(&::name) name = nullptr;  // NOLINT(bugprone-macro-parentheses)
  SUANLI_NCCL_FUNCTIONS(SUANLI_DECLARE)
#undef SUANLI_DECLARE
  std::string problem;  ///< why there is no library, and the way out; empty where there is one
};

/// The library, opened at the first call.
const Nccl& nccl();

}  // namespace suanli::dist

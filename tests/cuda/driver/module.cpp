/// The driver API: modules, functions, launches.
#include <algorithm>
#include <cstring>

#include "fatbin.h"
#include "state.h"

using stand_in::guarded;
using stand_in::State;

namespace {

/// Places the module's variables in device memory with their first values.
void place_variables(State& s, CUmod_st& out) {
  ptx::Module& module = *out.module;
  for (const auto& [name, variable] : module.global_variables) {
    out.variables.push_back(module.addresses[name] = s.memory.allocate(std::max<uint64_t>(variable.bytes, 1)));
  }
  for (const auto& [name, variable] : module.global_variables) {
    std::byte* const data = s.memory.host(module.addresses[name], variable.bytes, true);
    std::memset(data, 0, variable.bytes);
    for (size_t k = 0; k < variable.initial.size(); ++k) {
      const ptx::Variable::Initial& initial = variable.initial[k];
      const uint64_t bits = initial.bits + (initial.symbol.empty() ? 0 : module.addresses.at(initial.symbol));
      std::memcpy(data + k * ptx::bytes_of(variable.type), &bits, ptx::bytes_of(variable.type));
    }
  }
}

int attribute_of(const CUfunc_st& function, CUfunction_attribute attribute) {
  switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
      return static_cast<int>(function.kernel->max_threads);
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
      return static_cast<int>(function.kernel->shared_bytes);
    case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
      return static_cast<int>(function.kernel->local_bytes);
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
      return function.dynamic_shared_limit;
    case CU_FUNC_ATTRIBUTE_PTX_VERSION:
    case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
      return 80;
    default:
      return 0;
  }
}

bool fits(const CUfunc_st& function, ptx::Extent grid, ptx::Extent threads, unsigned shared) {
  return grid.size() != 0 && threads.size() != 0 && threads.size() <= function.kernel->max_threads &&
         threads.size() <= stand_in::kThreadsOfBlock && threads.z <= 64 && grid.x <= 0x7fffffff && grid.y <= 65535 &&
         grid.z <= 65535 && shared <= static_cast<unsigned>(function.dynamic_shared_limit) &&
         shared + function.kernel->shared_bytes <= stand_in::kSharedOfBlock;
}

}  // namespace

extern "C" {

CUresult cuModuleLoadData(CUmodule* out, const void* image) {
  return guarded([&](State& s) {
    auto module = std::make_unique<CUmod_st>();
    try {
      module->module = ptx::parse_module(stand_in::ptx_of(image));
    } catch (const std::runtime_error& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return CUDA_ERROR_INVALID_PTX;
    }
    place_variables(s, *module);
    *out = module.release();
    return CUDA_SUCCESS;
  });
}

CUresult cuModuleUnload(CUmodule module) {
  return guarded([&](State& s) {
    s.drain_all();
    for (const uint64_t variable : module->variables) s.memory.release(variable);
    delete module;
    return CUDA_SUCCESS;
  });
}

CUresult cuModuleGetFunction(CUfunction* out, CUmodule module, const char* name) {
  return guarded([&](State&) {
    if (!module->module->functions.contains(name)) return CUDA_ERROR_NOT_FOUND;
    std::unique_ptr<CUfunc_st>& function = module->functions[name];
    if (!function) {
      try {
        function = std::make_unique<CUfunc_st>();
        function->kernel = std::make_shared<ptx::Kernel>(ptx::build_kernel(*module->module, name));
      } catch (const ptx::SyntaxError& error) {
        function.reset();
        std::fprintf(stderr, "%s\n", error.what());
        return CUDA_ERROR_INVALID_PTX;
      }
    }
    *out = function.get();
    return CUDA_SUCCESS;
  });
}

CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* bytes, CUmodule module, const char* name) {
  return guarded([&](State&) {
    const auto variable = module->module->global_variables.find(name);
    if (variable == module->module->global_variables.end()) return CUDA_ERROR_NOT_FOUND;
    if (address) *address = module->module->addresses.at(name);
    if (bytes) *bytes = variable->second.bytes;
    return CUDA_SUCCESS;
  });
}

CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction function) {
  return *value = attribute_of(*function, attribute), CUDA_SUCCESS;
}

CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
  return guarded([&](State&) {
    if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return CUDA_SUCCESS;
    if (value < 0 || value + static_cast<int>(function->kernel->shared_bytes) > stand_in::kSharedOfBlock)
      return CUDA_ERROR_INVALID_VALUE;
    function->dynamic_shared_limit = std::max(value, 48 << 10);
    return CUDA_SUCCESS;
  });
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function, int threads, size_t shared) {
  const size_t by_shared = (164 << 10) / (shared + function->kernel->shared_bytes + 1024);  // a block reserves 1 KiB
  *blocks = static_cast<int>(std::min<size_t>({by_shared, 2048u / static_cast<unsigned>(std::max(threads, 32)), 32}));
  return CUDA_SUCCESS;
}

CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                        unsigned block_y, unsigned block_z, unsigned shared, CUstream stream, void** arguments,
                        void** extra) {
  return guarded([&](State& s) {
    const ptx::Extent grid{grid_x, grid_y, grid_z}, threads{block_x, block_y, block_z};
    if (extra || !fits(*function, grid, threads, shared)) return CUDA_ERROR_INVALID_VALUE;
    const ptx::Kernel& kernel = *function->kernel;
    std::vector<std::byte> parameters(kernel.parameter_bytes);
    for (size_t k = 0; k < kernel.parameters.size(); ++k) {
      std::memcpy(&parameters[kernel.parameters[k].offset], arguments[k], kernel.parameters[k].bytes);
    }
    s.enqueue(stream, 'k', [&s, owner = function->kernel, grid, threads, shared, parameters] {
      ptx::run_launch({*owner, grid, threads, shared, parameters}, s.memory);
    });
    return CUDA_SUCCESS;
  });
}

}  // extern "C"

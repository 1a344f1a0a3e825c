# usage: cmake -DSOURCE=... -DBINARY=... -DGENERATOR=... -P without_toolkit.cmake
# Where nvcc is not found, SUANLI_CUDA=AUTO configures the rest (the build presets asan and tsan compile and run just that),
# and SUANLI_CUDA=ON says what is missing.
function(configure cuda)
  file(REMOVE_RECURSE ${BINARY})
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BINARY} -G ${GENERATOR} -DCMAKE_BUILD_TYPE=Release -DNVCC= -DSUANLI_CUDA=${cuda}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(result ${result} PARENT_SCOPE)
  set(output "${output}" PARENT_SCOPE)
endfunction()
function(demand)
  if(NOT (${ARGN}))
    message(FATAL_ERROR "expected: ${ARGN}\n${output}")
  endif()
endfunction()

configure(AUTO)
demand(result EQUAL 0)
demand(output MATCHES "No tests of CUDA: they want nvcc")
file(READ ${BINARY}/compile_commands.json commands)
demand(commands MATCHES "src/kernels/ref/")
demand(NOT commands MATCHES "src/kernels/cuda/")
demand(NOT commands MATCHES "src/tensor/cuda/")
demand(NOT commands MATCHES "SUANLI_CUDA")

configure(ON)
demand(NOT result EQUAL 0)
demand(output MATCHES "SUANLI_CUDA=ON: expected nvcc")

# The CUDA backend is part of the build where nvcc is found. No CUDA library is linked: the driver and cuBLASLt are opened
# at run time. Every src/kernels/cuda/<name>.cu has two halves: nvcc makes <name>.fatbin of its kernels, and the C++ compiler
# builds the half that launches them, with the fatbin embedded.
set(SUANLI_CUDA AUTO CACHE STRING "Build the CUDA backend: AUTO (where nvcc is found), ON, OFF")
set(SUANLI_CUDA_MACHINES "80;90;100" CACHE STRING "Compute capabilities with machine code; others compile the PTX")

set(SUANLI_HAS_CUDA FALSE)
set(SUANLI_HAS_NCCL FALSE)
if(NOT SUANLI_CUDA STREQUAL "OFF")
  find_program(NVCC nvcc HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
  if(NVCC)
    get_filename_component(cuda_root ${NVCC} REALPATH)
    get_filename_component(cuda_root ${cuda_root}/../.. ABSOLUTE)
    find_path(CUDA_INCLUDE_DIR cublasLt.h HINTS ${cuda_root}/include ${cuda_root}/targets/x86_64-linux/include)
  endif()
  if(NVCC AND CUDA_INCLUDE_DIR)
    set(SUANLI_HAS_CUDA TRUE)
    find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${CUDA_INCLUDE_DIR})
    if(NCCL_INCLUDE_DIR)
      set(SUANLI_HAS_NCCL TRUE)
    endif()
  elseif(SUANLI_CUDA STREQUAL "ON")
    message(FATAL_ERROR "SUANLI_CUDA=ON: expected nvcc, cuda.h and cublasLt.h; set CUDA_HOME, or SUANLI_CUDA=OFF to build without")
  endif()
endif()

# PTX for compute_80 and machine code made from that same PTX, so that what a test reads is what every GPU runs.
set(suanli_device_code "compute_80")
foreach(machine ${SUANLI_CUDA_MACHINES})
  list(APPEND suanli_device_code "sm_${machine}")
endforeach()
list(JOIN suanli_device_code "," suanli_device_code)

# suanli_cuda_kernels(<target>): adds src/kernels/cuda/*.cu to the target.
function(suanli_cuda_kernels target)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/kernels/cuda/*.cu)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    set(fatbin ${PROJECT_BINARY_DIR}/fatbin/${name}.fatbin)
    add_custom_command(
      OUTPUT ${fatbin}
      COMMAND ${NVCC} -fatbin -std=c++20 -O3 --expt-relaxed-constexpr -Werror all-warnings --compress-mode=size
              -gencode arch=compute_80,code=[${suanli_device_code}] -I ${PROJECT_SOURCE_DIR}/src
              -MD -MF ${fatbin}.d -MT ${fatbin} -o ${fatbin} ${source}
      DEPENDS ${source}
      DEPFILE ${fatbin}.d
      COMMENT "Building fatbin/${name}.fatbin"
      VERBATIM)
    set_source_files_properties(${source} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++" OBJECT_DEPENDS ${fatbin}
                                COMPILE_DEFINITIONS "SUANLI_FATBIN=\"${fatbin}\"")
  endforeach()
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/fatbin)
  list(JOIN SUANLI_CUDA_MACHINES "," machines)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/src/kernels/gpu_report.cpp PROPERTIES
                              COMPILE_DEFINITIONS "SUANLI_CUDA_MACHINES=${machines}")
  target_sources(${target} PRIVATE ${sources})
endfunction()

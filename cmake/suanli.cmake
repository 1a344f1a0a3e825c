# suanli_layer(<folder> [USES <folders>] [EXTERNAL <libraries>] [PRIVATE <libraries>])
# One static library suanli_<folder> of all sources in src/<folder>. USES are the layers below that it may include,
# EXTERNAL libraries whose headers its public headers show, PRIVATE libraries of its sources alone.
function(suanli_layer folder)
  cmake_parse_arguments(ARG "" "" "USES;EXTERNAL;PRIVATE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/cli/main\\.cpp$")
  if(NOT sources)
    set(sources ${PROJECT_SOURCE_DIR}/cmake/empty.cpp)
  endif()
  set(target suanli_${folder})
  add_library(${target} STATIC ${sources})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
                                              $<INSTALL_INTERFACE:include/suanli>)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wvla -Werror)
  target_compile_definitions(${target} PRIVATE SUANLI_VERSION="${PROJECT_VERSION}")
  list(TRANSFORM ARG_USES PREPEND suanli_)
  target_link_libraries(${target} PUBLIC ${ARG_USES} ${ARG_EXTERNAL} PRIVATE ${ARG_PRIVATE})
  if(SUANLI_UNITY AND NOT folder STREQUAL kernels)  # Highway compiles a kernel's file once per instruction set
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  endif()
  set_property(GLOBAL APPEND PROPERTY SUANLI_LAYERS ${target})
endfunction()

# gRPC and Protocol Buffers, linked as archives: as 50 shared libraries they cost every verb 15 ms at its start. Of gRPC the
# part without TLS, which is the server's own (src/serve/tls.h).
# Sets SUANLI_GRPC_LIBRARIES; suanli_protocols(<target> <folder>) compiles the .proto files of a folder into a target.
pkg_check_modules(grpc REQUIRED grpc++_unsecure)
pkg_check_modules(protobuf REQUIRED protobuf)
find_program(PROTOC protoc REQUIRED)

set(SUANLI_GRPC_LIBRARIES)
foreach(library ${grpc_LIBRARIES} address_sorting upb cares ${protobuf_LIBRARIES})
  if(library MATCHES "^(grpc|gpr|absl|address_sorting|upb|cares|protobuf)")
    find_library(ARCHIVE_${library} lib${library}.a REQUIRED)
    mark_as_advanced(ARCHIVE_${library})
    list(APPEND SUANLI_GRPC_LIBRARIES ${ARCHIVE_${library}})
  endif()
endforeach()
# An archive must follow those that use it: the second pass is for linkers that read each once.
list(REMOVE_DUPLICATES SUANLI_GRPC_LIBRARIES)
list(APPEND SUANLI_GRPC_LIBRARIES ${SUANLI_GRPC_LIBRARIES} ZLIB::ZLIB)

function(suanli_protocols target folder)
  set(generated ${PROJECT_BINARY_DIR}/proto)
  file(GLOB protocols CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.proto)
  file(MAKE_DIRECTORY ${generated})
  foreach(protocol ${protocols})
    get_filename_component(name ${protocol} NAME_WE)
    add_custom_command(OUTPUT ${generated}/${name}.pb.cc ${generated}/${name}.pb.h
                       COMMAND ${PROTOC} --proto_path=${PROJECT_SOURCE_DIR}/${folder} --cpp_out=${generated} ${protocol}
                       DEPENDS ${protocol})
    target_sources(${target} PRIVATE ${generated}/${name}.pb.cc)
    # Not our text: no warnings, not compiled together with ours.
    set_source_files_properties(${generated}/${name}.pb.cc PROPERTIES COMPILE_OPTIONS -w SKIP_UNITY_BUILD_INCLUSION ON)
  endforeach()
  target_include_directories(${target} SYSTEM PUBLIC $<BUILD_INTERFACE:${generated}>)
endfunction()

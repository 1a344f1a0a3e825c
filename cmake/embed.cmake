# suanli_embed(<target> <folder>): each file of src/<folder> becomes a string literal that the target's sources include
# as "<last part of the folder>.<file>.inc". A file holds no `)text"`.
set(suanli_embed_script ${CMAKE_CURRENT_LIST_DIR}/embed_file.cmake)

function(suanli_embed target folder)
  get_filename_component(last ${folder} NAME)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*)
  foreach(file ${files})
    get_filename_component(name ${file} NAME)
    set(literal ${PROJECT_BINARY_DIR}/embedded/${last}.${name}.inc)
    add_custom_command(
      OUTPUT ${literal}
      COMMAND ${CMAKE_COMMAND} -D FILE=${file} -D LITERAL=${literal} -P ${suanli_embed_script}
      DEPENDS ${file} ${suanli_embed_script}
      COMMENT "Embedding ${folder}/${name}"
      VERBATIM)
    target_sources(${target} PRIVATE ${literal})
  endforeach()
  target_include_directories(${target} PRIVATE ${PROJECT_BINARY_DIR}/embedded)
endfunction()

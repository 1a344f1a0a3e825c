# What `cmake --install` gives C++ programs: headers, the layers' libraries and the target suanli::suanli for
# find_package(suanli); and the program.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(layers GLOBAL PROPERTY SUANLI_LAYERS)
list(REMOVE_ITEM layers suanli_cli)
add_library(suanli_all INTERFACE)
target_link_libraries(suanli_all INTERFACE ${layers})
foreach(layer ${layers})
  string(REPLACE "suanli_" "" folder ${layer})
  set_target_properties(${layer} PROPERTIES EXPORT_NAME ${folder})
endforeach()
set_target_properties(suanli_all PROPERTIES EXPORT_NAME suanli)

install(TARGETS suanli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS suanli_all ${layers} EXPORT suanli ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/suanli)
install(DIRECTORY src/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/suanli
        FILES_MATCHING PATTERN "*.h" PATTERN "cli" EXCLUDE PATTERN "ref" EXCLUDE PATTERN "cuda" EXCLUDE)
install(EXPORT suanli NAMESPACE suanli:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/suanli FILE suanli-targets.cmake)
configure_package_config_file(cmake/suanli-config.cmake.in ${PROJECT_BINARY_DIR}/suanli-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/suanli)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/suanli-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/suanli-config.cmake ${PROJECT_BINARY_DIR}/suanli-config-version.cmake
              cmake/dnnl.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/suanli)

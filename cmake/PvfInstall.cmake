# cmake --install: the command line in bin, the workers in libexec/pvf, where it looks for them.
# Nodes look for workers under other names, so each has a link beside it: such a folder is what a
# node takes as --workers-path.  A link, not a copy, so that both names are always one build, and the
# file pvf-node-version is looked for beside the one real program.
include(GNUInstallDirs)
set(PVF_WORKERS_DIR ${CMAKE_INSTALL_LIBEXECDIR}/pvf)

install(TARGETS pvf RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${PROJECT_SOURCE_DIR}/docs/man/pvf.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/contrib DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(PVF_ENGINE)
    install(FILES ${PVF_ENGINE_LICENSES} DESTINATION ${CMAKE_INSTALL_DOCDIR})
    foreach(kind prepare execute)
        install(TARGETS pvf-${kind}-worker RUNTIME DESTINATION ${PVF_WORKERS_DIR})
        install(CODE "file(CREATE_LINK pvf-${kind}-worker
            \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${PVF_WORKERS_DIR}/polkadot-${kind}-worker\"
            SYMBOLIC)")
        install(FILES ${PROJECT_SOURCE_DIR}/docs/man/pvf-${kind}-worker.8
            DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
    endforeach()
endif()

# The library.  pvf.pc and the CMake package find the rest from where they are themselves.
include(CMakePackageConfigHelpers)
set(PVF_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/pvf)
install(TARGETS libpvf_shared EXPORT pvfTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS libpvf_static EXPORT pvfStaticTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT pvfTargets NAMESPACE pvf:: DESTINATION ${PVF_CMAKE_DIR})
install(EXPORT pvfStaticTargets NAMESPACE pvf:: DESTINATION ${PVF_CMAKE_DIR})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/pvfConfig.cmake.in
    ${PROJECT_BINARY_DIR}/install/pvfConfig.cmake INSTALL_DESTINATION ${PVF_CMAKE_DIR})
# Before 1.0 a minor version may break what was built for another.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/install/pvfConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/install/pvfConfig.cmake
    ${PROJECT_BINARY_DIR}/install/pvfConfigVersion.cmake DESTINATION ${PVF_CMAKE_DIR})
file(RELATIVE_PATH PVF_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" PVF_PC_TO_PREFIX "${PVF_PC_TO_PREFIX}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/pvf.pc.in ${PROJECT_BINARY_DIR}/install/pvf.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/install/pvf.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/pvf DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_BINARY_DIR}/include/pvf/version.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pvf)

# A manual page of functions has one name for each; all but its own are links of man(7).
file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.3)
foreach(page IN LISTS pages)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page})
    cmake_path(GET page FILENAME file)
    install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)
    file(STRINGS ${page} names REGEX "^\\.Nm [a-z0-9_]+( ,)?$")
    foreach(line IN LISTS names)
        string(REGEX REPLACE "^\\.Nm ([a-z0-9_]+).*" "\\1.3" name "${line}")
        if(NOT name STREQUAL file)
            file(WRITE ${PROJECT_BINARY_DIR}/install/man3/${name} ".so man3/${file}\n")
            install(FILES ${PROJECT_BINARY_DIR}/install/man3/${name}
                DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)
        endif()
    endforeach()
endforeach()

# Documents keep their places to each other, so that their links hold.
file(GLOB documents CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/*.md)
install(FILES ${documents} DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DOCDIR}
    FILES_MATCHING PATTERN "*.md" PATTERN man EXCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
    PATTERN __pycache__ EXCLUDE)

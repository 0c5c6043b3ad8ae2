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

# libpvf as others get it: installed, moved, and used by programs that know nothing of this tree.  An instrumented library
# is not what is installed, and cannot be linked with what is not instrumented.
include(GNUInstallDirs)
if(NOT PVF_SANITIZE)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    find_program(PVF_CXX NAMES c++ g++ clang++ REQUIRED)
    set(here ${CMAKE_CURRENT_LIST_DIR})
    set(tree ${PROJECT_BINARY_DIR}/tests/installed)
    set(lib ${tree}/${CMAKE_INSTALL_LIBDIR})
    set(include ${tree}/${CMAKE_INSTALL_INCLUDEDIR})
    set(adder ${PROJECT_SOURCE_DIR}/tests/data/adder)

    add_test(NAME install_tree
        COMMAND sh ${here}/install_tree.sh ${CMAKE_COMMAND} ${PROJECT_BINARY_DIR} ${tree})
    add_test(NAME install_exports COMMAND Python3::Interpreter -B ${here}/exports.py
        ${lib}/libpvf.so ${lib}/libpvf.a ${include} ${PROJECT_SOURCE_DIR}/src/host/libpvf.map)
    add_test(NAME install_abi COMMAND Python3::Interpreter -B ${here}/abi.py
        ${CMAKE_C_COMPILER} ${lib}/libpvf.so ${include} ${here}/abi.txt)
    add_test(NAME install_headers COMMAND Python3::Interpreter -B ${here}/headers.py
        ${CMAKE_C_COMPILER} ${PVF_CXX} ${lib}/libpvf.so ${include})
    add_test(NAME install_manual COMMAND Python3::Interpreter -B ${here}/manual.py
        ${include} ${PROJECT_SOURCE_DIR}/docs/man ${tree}/${CMAKE_INSTALL_MANDIR}/man3)
    add_test(NAME install_python COMMAND Python3::Interpreter -B ${here}/python_example.py
        ${here}/abi.txt ${tree}/${CMAKE_INSTALL_DOCDIR}/examples/python/validate.py
        ${lib}/libpvf.so ${tree}/${PVF_WORKERS_DIR} ${adder})
    set(tests install_exports install_abi install_headers install_manual install_python)
    foreach(how pkg-config pkg-config-static cmake cmake-static)
        add_test(NAME install_${how} COMMAND sh ${here}/consumers.sh ${how} ${CMAKE_C_COMPILER}
            ${CMAKE_COMMAND} ${tree} ${CMAKE_INSTALL_LIBDIR} ${PVF_WORKERS_DIR} ${adder})
        list(APPEND tests install_${how})
    endforeach()
    set_tests_properties(install_tree PROPERTIES FIXTURES_SETUP pvf_installed)
    set_tests_properties(${tests} PROPERTIES FIXTURES_REQUIRED pvf_installed)
    set_tests_properties(install_tree ${tests} PROPERTIES LABELS install TIMEOUT 600)
endif()

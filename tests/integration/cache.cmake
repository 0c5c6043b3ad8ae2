if(TARGET pvf-prepare-worker AND TARGET pvf-execute-worker)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    add_test(NAME integration_cli_cache COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/cli_cache.sh
        $<TARGET_FILE:pvf> ${PROJECT_SOURCE_DIR}/tests/data
        $<TARGET_FILE_DIR:pvf-prepare-worker> ${Python3_EXECUTABLE})
    set_tests_properties(integration_cli_cache PROPERTIES LABELS integration TIMEOUT 600)
endif()

# The commands with a command line of their own that need both workers.
if(TARGET pvf-prepare-worker AND TARGET pvf-execute-worker)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    add_test(NAME integration_cli_run_service
        COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/cli_run_service.py
            $<TARGET_FILE:pvf> $<TARGET_FILE_DIR:pvf-prepare-worker> ${PROJECT_SOURCE_DIR})
    add_test(NAME integration_cli_replay
        COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/cli_replay.py
            $<TARGET_FILE:pvf> $<TARGET_FILE_DIR:pvf-prepare-worker>
            ${PROJECT_SOURCE_DIR}/tests/data)
    add_test(NAME integration_cli_bench
        COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/cli_bench.py
            $<TARGET_FILE:pvf> $<TARGET_FILE_DIR:pvf-prepare-worker>
            ${PROJECT_SOURCE_DIR}/tests/data)
    add_test(NAME integration_cli_run_init
        COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/cli_run_init.py
            $<TARGET_FILE:pvf> $<TARGET_FILE_DIR:pvf-prepare-worker>)
    add_test(NAME integration_warm_restart
        COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/warm_restart.py
            $<TARGET_FILE:pvf> $<TARGET_FILE_DIR:pvf-prepare-worker>)
    set_tests_properties(integration_warm_restart PROPERTIES LABELS integration TIMEOUT 900)
    set_tests_properties(integration_cli_run_init
        PROPERTIES LABELS integration SKIP_RETURN_CODE 77 TIMEOUT 900)
    set_tests_properties(integration_cli_run_service integration_cli_replay integration_cli_bench
        PROPERTIES LABELS integration TIMEOUT 900)
endif()

# Jobs that are made ahead of need: the same answers, whatever happens to their makers.
if(TARGET pvf-prepare-worker AND TARGET pvf-execute-worker)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    set(driver ${CMAKE_CURRENT_LIST_DIR}/drive_zygotes.py)
    set(workers $<TARGET_FILE:pvf-prepare-worker> $<TARGET_FILE:pvf-execute-worker>)
    add_test(NAME integration_zygotes COMMAND Python3::Interpreter ${driver} ${workers}
        --deny $<TARGET_FILE:deny_syscall>)
    add_test(NAME integration_zygotes_shared COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/corpus_shared.sh
        zygotes ${workers})
    set_tests_properties(integration_zygotes integration_zygotes_shared PROPERTIES
        LABELS integration SKIP_RETURN_CODE 77 TIMEOUT 1200
        ENVIRONMENT "PVF_PYTHON=${Python3_EXECUTABLE};PVF_SHARED_DEFAULT=${PVF_SHARED}")
endif()

# What is particular to our prepare worker.  Exit code 77 means skipped, with a reason.
if(TARGET pvf-prepare-worker)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    add_test(NAME integration_prepare_threads COMMAND Python3::Interpreter
        ${CMAKE_CURRENT_LIST_DIR}/prepare_threads.py $<TARGET_FILE:pvf-prepare-worker>)
    add_test(NAME integration_first_tier COMMAND Python3::Interpreter
        ${CMAKE_CURRENT_LIST_DIR}/first_tier.py $<TARGET_FILE:pvf-prepare-worker>
        $<TARGET_FILE:pvf-execute-worker>)
    set_tests_properties(integration_prepare_threads integration_first_tier PROPERTIES
        LABELS integration TIMEOUT 600)
endif()

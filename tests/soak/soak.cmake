# `pvf run` under load and faults.  Exit code 77 means skipped, with a reason.  tools/ci/long has a
# longer one; docs/reliability.md says what is looked at.
if(TARGET pvf-prepare-worker AND TARGET pvf-execute-worker)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    set(soak ${CMAKE_CURRENT_LIST_DIR}/soak.py $<TARGET_FILE:pvf>
        $<TARGET_FILE_DIR:pvf-prepare-worker>)
    # The small corpus of this tree: enough to see each fault, in every check.
    add_test(NAME soak_judge COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/judge_test.py)
    set_tests_properties(soak_judge PROPERTIES LABELS soak)
    add_test(NAME soak_small COMMAND Python3::Interpreter ${soak} --seconds 15 --seed 1
        --corpus ${PROJECT_SOURCE_DIR}/tests/data)
    set_tests_properties(soak_small PROPERTIES LABELS soak TIMEOUT 900)
endif()

# Jobs that are made ahead of need: the same answers, whatever happens to their makers.
if(TARGET pvf-prepare-worker AND TARGET pvf-execute-worker)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    set(driver ${CMAKE_CURRENT_LIST_DIR}/drive_zygotes.py)
    set(workers $<TARGET_FILE:pvf-prepare-worker> $<TARGET_FILE:pvf-execute-worker>)
    set(denied)
    # Not with a sanitizer: its runtime has a say in which calls may be refused.
    if(TARGET deny_syscall AND NOT PVF_SANITIZE)
        set(denied --deny $<TARGET_FILE:deny_syscall>)
    endif()
    foreach(part answers deaths places denials)
        add_test(NAME integration_zygotes_${part} COMMAND Python3::Interpreter
            ${driver} ${part} ${workers} ${denied})
        # Each has a deadline of its own before that, and says where it hangs.
        set_tests_properties(integration_zygotes_${part} PROPERTIES
            LABELS integration SKIP_RETURN_CODE 77 TIMEOUT 900)
    endforeach()
endif()

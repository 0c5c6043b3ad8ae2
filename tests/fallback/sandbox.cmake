# Kernels and containers that refuse a mechanism, made by a filter over the workers.  Not with a
# sanitizer: its runtime has a say in which calls may be refused.
if(TARGET probe_worker AND TARGET deny_syscall AND NOT PVF_SANITIZE)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    add_test(NAME fallback_sandbox COMMAND Python3::Interpreter
        ${CMAKE_CURRENT_LIST_DIR}/drive_refusals.py $<TARGET_FILE:probe_worker>
        $<TARGET_FILE:deny_syscall>)
    set_tests_properties(fallback_sandbox PROPERTIES LABELS fallback SKIP_RETURN_CODE 77
        TIMEOUT 600)
endif()

# Hostile code inside the real fence.  The program is for tests alone and is not installed.
if(TARGET pvf-prepare-worker AND TARGET pvf-execute-worker)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    add_executable(probe_worker probe_worker.c try_files.c try_kernel.c try_limits.c try_network.c
        try_processes.c try_rights.c try_zygote.c)
    target_include_directories(probe_worker PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(probe_worker PRIVATE pvf_prepare pvf_execute pvf_flags)
    set(probe_options)
    if(PVF_SANITIZE)
        set(probe_options --sanitized)
        target_link_libraries(probe_worker PRIVATE pvf_worker_sanitizer)
    endif()
    set_target_properties(probe_worker PROPERTIES RUNTIME_OUTPUT_DIRECTORY
        ${PROJECT_BINARY_DIR}/tests)
    add_test(NAME sandbox_probes COMMAND Python3::Interpreter
        ${CMAKE_CURRENT_LIST_DIR}/drive_probes.py $<TARGET_FILE:probe_worker>
        ${probe_options})
    set(tests sandbox_probes)
    foreach(part jobs endings inside hijacks)
        add_test(NAME sandbox_zygote_${part} COMMAND Python3::Interpreter
            ${CMAKE_CURRENT_LIST_DIR}/drive_zygote_probes.py ${part} $<TARGET_FILE:probe_worker>
            ${probe_options})
        list(APPEND tests sandbox_zygote_${part})
    endforeach()
    # Each has a deadline of its own before that, and says where it hangs.
    set_tests_properties(${tests} PROPERTIES LABELS sandbox SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()

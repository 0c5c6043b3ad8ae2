# What can break around the two workers and the host, broken on purpose.
set(bench ${CMAKE_CURRENT_LIST_DIR}/bench.c)
set(kept ${bench} ${CMAKE_CURRENT_LIST_DIR}/kept.c)
set(workers)
if(PVF_ENGINE)
    set(workers ${PROJECT_BINARY_DIR}/bin/pvf-prepare-worker
        ${PROJECT_BINARY_DIR}/bin/pvf-execute-worker)
endif()
pvf_add_test(NAME test_fault_signals LABEL faults USES base hash wasm proto host
    ARGS ${workers} SOURCES ${bench})
pvf_add_test(NAME test_fault_wire LABEL faults USES base hash wasm proto host
    ARGS ${workers} SOURCES ${kept})
pvf_add_test(NAME test_fault_stages LABEL faults USES base hash wasm proto host
    ARGS $<TARGET_FILE:fake_worker> SOURCES ${bench})
pvf_add_test(NAME test_fault_answers LABEL faults USES base hash wasm proto host
    ARGS $<TARGET_FILE:fake_worker>
    SOURCES ${bench} ${PROJECT_SOURCE_DIR}/tests/support/proto_samples.c)
# Only what our own objects call goes through the test; the C library's own calls do not.
set(wraps)
foreach(name malloc calloc realloc free strdup strndup asprintf __asprintf_chk fdopendir
        posix_spawn_file_actions_adddup2 posix_spawn_file_actions_addclosefrom_np)
    list(APPEND wraps -Wl,--wrap=${name})
endforeach()
pvf_add_test(NAME test_fault_memory LABEL faults USES base hash wasm proto host
    ARGS $<TARGET_FILE:fake_worker> SOURCES ${bench} LIBS ${wraps})
pvf_add_test(NAME test_fault_machine LABEL faults USES base hash wasm proto host
    ARGS ${workers} SOURCES ${bench} LIBS -Wl,--wrap=getrandom)
# An execute worker whose zygotes come to harm at exact places (hurt.c).
if(TARGET pvf_execute)
    add_executable(hurt_worker ${CMAKE_CURRENT_LIST_DIR}/hurt.c
        ${PROJECT_SOURCE_DIR}/src/execute/execute_main.c)
    target_link_libraries(hurt_worker PRIVATE pvf_execute pvf_flags)
    foreach(name pvf__sandbox_clone_sibling pvf__zygote_wire_hello pvf__zygote_wire_hear
            pvf__job_say_take_waiting pvf__job_begin pvf__nursery_is_fit)
        target_link_options(hurt_worker PRIVATE -Wl,--wrap=${name})
    endforeach()
    if(PVF_SANITIZE)
        target_link_libraries(hurt_worker PRIVATE pvf_worker_sanitizer)
    endif()
    set_target_properties(hurt_worker PROPERTIES RUNTIME_OUTPUT_DIRECTORY
        ${PROJECT_BINARY_DIR}/tests)
    pvf_add_test(NAME test_fault_zygotes LABEL faults USES base hash wasm proto host
        ARGS ${workers} $<TARGET_FILE:hurt_worker> SOURCES ${kept})
endif()
# Slow: 1 000 jobs here, 10 000 in tools/ci/long.
pvf_add_test(NAME many_jobs LABEL faults USES base hash wasm proto host
    ARGS ${workers} SOURCES ${kept})
set_tests_properties(many_jobs PROPERTIES LABELS "faults;slow")

# A worker that behaves as its file name says.
add_executable(fake_worker ${PROJECT_SOURCE_DIR}/tests/support/fake_worker.c
    ${PROJECT_SOURCE_DIR}/tests/support/fake_upgraded.c)
target_include_directories(fake_worker PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(fake_worker PRIVATE pvf_flags pvf_proto)
set_target_properties(fake_worker PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

set(proto_samples ${PROJECT_SOURCE_DIR}/tests/support/proto_samples.c)
set(host_bench ${PROJECT_SOURCE_DIR}/tests/support/host_bench.c)
pvf_add_test(NAME test_host_fake LABEL integration USES base hash scale proto host
    ARGS $<TARGET_FILE:fake_worker> SOURCES ${proto_samples} ${host_bench})
pvf_add_test(NAME test_host_spawn LABEL integration USES base hash host
    ARGS $<TARGET_FILE:fake_worker> SOURCES ${host_bench})
pvf_add_test(NAME test_host_upgrade LABEL integration USES base hash host
    ARGS $<TARGET_FILE:fake_worker> SOURCES ${host_bench})
pvf_add_test(NAME test_host_death LABEL integration USES base hash host
    ARGS $<TARGET_FILE:fake_worker> SOURCES ${host_bench})

# Real workers: ours when they are built, else those that the environment names, else skipped.
set(workers)
if(PVF_ENGINE)
    set(workers ${PROJECT_BINARY_DIR}/bin/pvf-prepare-worker
        ${PROJECT_BINARY_DIR}/bin/pvf-execute-worker)
endif()
pvf_add_test(NAME test_host_real LABEL integration USES base hash proto host ARGS ${workers})

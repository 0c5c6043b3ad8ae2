# The event-driven host, over scripted workers and over real ones.
set(service_bench ${PROJECT_SOURCE_DIR}/tests/support/service_bench.c)
set(service_fakes ${service_bench} ${PROJECT_SOURCE_DIR}/tests/support/service_fakes.c
    ${PROJECT_SOURCE_DIR}/tests/support/host_bench.c)
pvf_add_test(NAME test_service_fake LABEL integration USES base hash host service
    ARGS $<TARGET_FILE:fake_worker> SOURCES ${service_fakes})
pvf_add_test(NAME test_service_upgrade LABEL integration USES base hash host service
    ARGS $<TARGET_FILE:fake_worker> SOURCES ${service_fakes})
pvf_add_test(NAME test_service_deaths LABEL integration USES base host service
    ARGS $<TARGET_FILE:fake_worker> SOURCES ${service_fakes})
pvf_add_test(NAME test_service_tier LABEL integration USES base host service
    ARGS $<TARGET_FILE:fake_worker> SOURCES ${service_fakes})

set(workers)
if(PVF_ENGINE)
    set(workers ${PROJECT_BINARY_DIR}/bin/pvf-prepare-worker
        ${PROJECT_BINARY_DIR}/bin/pvf-execute-worker $<TARGET_FILE:fake_worker>)
endif()
pvf_add_test(NAME test_service_real LABEL integration USES base hash proto host service
    ARGS ${workers}
    SOURCES ${service_bench} ${PROJECT_SOURCE_DIR}/tests/support/host_bench.c)

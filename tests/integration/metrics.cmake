# The web server for figures, with a client that is no library.
set(prom_text ${PROJECT_SOURCE_DIR}/tests/support/prom_text.c)
pvf_add_test(NAME test_metrics_http LABEL integration USES base metrics cli SOURCES ${prom_text})

# Serves every metric with figures in it.
add_executable(metrics_exporter ${PROJECT_SOURCE_DIR}/tests/support/metrics_exporter.c)
target_link_libraries(metrics_exporter PRIVATE pvf_flags pvf_metrics pvf_cli)
set_target_properties(metrics_exporter PROPERTIES RUNTIME_OUTPUT_DIRECTORY
    ${PROJECT_BINARY_DIR}/tests)
find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
set(dashboard ${PROJECT_SOURCE_DIR}/contrib/grafana/pvf.json)
add_test(NAME integration_dashboard_names
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/dashboard_names.py
        $<TARGET_FILE:metrics_exporter> ${dashboard} ${PROJECT_SOURCE_DIR}/docs/metrics.md)
add_test(NAME integration_metrics_promtool
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/metrics_promtool.py
        $<TARGET_FILE:metrics_exporter>)
add_test(NAME integration_dashboard_live
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/dashboard_live.py
        $<TARGET_FILE:metrics_exporter> ${dashboard})
set_tests_properties(integration_dashboard_names integration_metrics_promtool
    integration_dashboard_live PROPERTIES LABELS integration SKIP_RETURN_CODE 77 TIMEOUT 600)
set_property(TEST integration_dashboard_live PROPERTY LABELS integration slow)

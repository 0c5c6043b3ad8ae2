pvf_add_test(NAME test_metrics LABEL unit USES base proto cache metrics host
    SOURCES ${PROJECT_SOURCE_DIR}/tests/support/prom_text.c)
find_package(Threads REQUIRED)
pvf_add_test(NAME test_log LABEL unit USES base LIBS Threads::Threads)

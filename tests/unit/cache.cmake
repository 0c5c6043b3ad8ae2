set(cache_bench ${PROJECT_SOURCE_DIR}/tests/support/cache_bench.c)
pvf_add_test(NAME test_cache LABEL unit USES base hash cache SOURCES ${cache_bench})
pvf_add_test(NAME test_cache_folder LABEL unit USES base hash cache SOURCES ${cache_bench})
pvf_add_test(NAME test_cache_meta LABEL unit USES base hash cache SOURCES ${cache_bench})

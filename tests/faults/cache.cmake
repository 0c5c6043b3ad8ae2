set(cache_bench ${PROJECT_SOURCE_DIR}/tests/support/cache_bench.c)
pvf_add_test(NAME test_fault_cache_damage LABEL faults USES base hash cache
    SOURCES ${cache_bench})
# Only what our own objects call goes through the test; the C library's own calls do not.
set(cache_wraps)
foreach(name openat write pwrite ftruncate fchmod fsync linkat renameat unlinkat mkdir mkdirat
        unlink)
    list(APPEND cache_wraps -Wl,--wrap=${name})
endforeach()
pvf_add_test(NAME test_fault_cache_power LABEL faults USES base hash cache
    SOURCES ${cache_bench} LIBS ${cache_wraps})

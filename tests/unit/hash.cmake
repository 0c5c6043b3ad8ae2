find_path(XXHASH_INCLUDE xxhash.h REQUIRED)
pvf_add_test(NAME test_hash LABEL unit USES hash)
target_include_directories(test_hash SYSTEM PRIVATE ${XXHASH_INCLUDE})

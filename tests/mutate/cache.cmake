pvf_add_test(NAME test_cache_mutate LABEL mutate USES base hash cache)

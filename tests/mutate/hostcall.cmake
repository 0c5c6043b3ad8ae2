pvf_add_test(NAME test_hostcall_version_mutate LABEL mutate USES hostcall)

pvf_add_test(NAME test_hostcall_table LABEL unit USES hostcall)
pvf_add_test(NAME test_hostcall_marshal LABEL unit USES hostcall)
pvf_add_test(NAME test_hostcall_calls LABEL unit USES hostcall)
pvf_add_test(NAME test_hostcall_version LABEL unit USES hostcall)

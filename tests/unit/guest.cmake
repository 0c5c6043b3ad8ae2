pvf_add_test(NAME test_guest_allocator LABEL unit USES guest)
pvf_add_test(NAME test_guest_traces LABEL unit USES guest)

if(TARGET pvf_sandbox)
    pvf_add_test(NAME test_seccomp_filter LABEL unit USES sandbox
        SOURCES ${PROJECT_SOURCE_DIR}/tests/support/bpf_sim.c)
    pvf_add_test(NAME test_seccomp_live LABEL unit USES sandbox)
endif()

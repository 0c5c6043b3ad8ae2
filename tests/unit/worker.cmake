if(TARGET pvf_worker)
    pvf_add_test(NAME test_worker LABEL unit USES worker)
endif()

if(PVF_ENGINE)
    pvf_add_test(NAME test_blob LABEL unit USES blob)
endif()

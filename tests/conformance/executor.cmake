if(TARGET pvf_engine)
    pvf_add_test(NAME test_executor LABEL conformance USES blob wasm engine)
endif()

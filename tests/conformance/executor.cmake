if(TARGET pvf_engine)
    pvf_add_test(NAME test_executor LABEL conformance USES blob wasm engine)
    pvf_add_test(NAME test_first_tier LABEL conformance USES base proto wasm engine
        SOURCES ../support/wasm_files.c)
    if(PVF_SANITIZE)
        target_link_libraries(test_first_tier PRIVATE pvf_worker_sanitizer)
    endif()
endif()

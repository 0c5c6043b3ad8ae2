if(PVF_ENGINE)
    pvf_add_test(NAME test_engine_compile LABEL unit USES engine wasm
        SOURCES engine_builder.c engine_harness.c)
    pvf_add_test(NAME test_engine_run LABEL unit USES engine wasm
        SOURCES engine_builder.c engine_harness.c)
    pvf_add_test(NAME test_engine_pages LABEL unit USES engine)
    pvf_add_test(NAME test_engine_hash LABEL unit USES engine LIBS sodium)
endif()

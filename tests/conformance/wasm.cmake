pvf_add_test(NAME test_wasm_rewrite_vectors LABEL conformance USES base hash wasm
    SOURCES ../support/wasm_files.c)
pvf_add_test(NAME test_wasm_module_vectors LABEL conformance USES base wasm
    SOURCES ../support/wasm_files.c)
if(TARGET pvf_engine)
    pvf_add_test(NAME test_wasm_forms LABEL conformance USES base wasm engine
        SOURCES ../support/wasm_gen.c)
    pvf_add_test(NAME test_wasm_known LABEL conformance USES base wasm engine)
    pvf_add_test(NAME test_engine_threads LABEL conformance USES base wasm engine
        SOURCES ../support/wasm_gen.c)
endif()

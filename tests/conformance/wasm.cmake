pvf_add_test(NAME test_wasm_rewrite_vectors LABEL conformance USES base hash wasm
    SOURCES ../support/wasm_files.c)
pvf_add_test(NAME test_wasm_module_vectors LABEL conformance USES base wasm
    SOURCES ../support/wasm_files.c)

pvf_add_test(NAME test_wasm_mutate LABEL mutate USES base wasm
    SOURCES ../support/wasm_property.c ../support/wasm_gen.c)

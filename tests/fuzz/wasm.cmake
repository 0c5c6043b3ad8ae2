pvf_add_fuzz(NAME wasm_check USES base wasm)
pvf_add_fuzz(NAME wasm_rewrite USES base wasm)
target_sources(fuzz_wasm_rewrite PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/wasm_property.c)

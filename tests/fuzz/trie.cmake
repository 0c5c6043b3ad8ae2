pvf_add_fuzz(NAME trie_proof USES trie scale)
pvf_add_fuzz(NAME trie_root USES trie)
target_sources(fuzz_trie_root PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/trie_model.c)

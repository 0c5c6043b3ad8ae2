pvf_add_test(NAME test_trie_mutate LABEL mutate USES trie
    SOURCES ${PROJECT_SOURCE_DIR}/tests/support/trie_model.c)

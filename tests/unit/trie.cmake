pvf_add_test(NAME test_trie LABEL unit USES trie scale
    SOURCES ${PROJECT_SOURCE_DIR}/tests/support/trie_model.c)

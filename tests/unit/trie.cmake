pvf_add_test(NAME test_trie LABEL unit USES trie scale
    SOURCES ${PROJECT_SOURCE_DIR}/tests/support/trie_model.c)
pvf_add_test(NAME test_trie_faults LABEL unit USES trie
    LIBS -Wl,--wrap=malloc -Wl,--wrap=realloc)

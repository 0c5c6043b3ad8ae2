pvf_add_test(NAME test_crypto LABEL unit USES crypto)

pvf_add_test(NAME test_base LABEL unit USES base hash)

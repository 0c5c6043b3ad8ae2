pvf_add_test(NAME test_base LABEL unit USES base hash)
pvf_add_test(NAME test_sealed LABEL unit USES base)

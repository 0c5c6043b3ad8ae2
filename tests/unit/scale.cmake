pvf_add_test(NAME test_scale LABEL unit USES base scale)

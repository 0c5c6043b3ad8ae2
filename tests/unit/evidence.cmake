pvf_add_test(NAME test_evidence LABEL unit USES base hash evidence)

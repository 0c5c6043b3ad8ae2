pvf_add_test(NAME test_doctor_advice LABEL unit USES cli)

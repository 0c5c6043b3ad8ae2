set(proto_samples ${PROJECT_SOURCE_DIR}/tests/support/proto_samples.c)
pvf_add_test(NAME test_proto LABEL unit USES base hash scale proto SOURCES ${proto_samples})
pvf_add_test(NAME test_proto_params LABEL unit USES base hash scale proto)
pvf_add_test(NAME test_proto_frame LABEL unit USES base proto)

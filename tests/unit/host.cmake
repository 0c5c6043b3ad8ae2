set(proto_samples ${PROJECT_SOURCE_DIR}/tests/support/proto_samples.c)
pvf_add_test(NAME test_host_outcome LABEL unit USES base hash scale proto host
    SOURCES ${proto_samples})
pvf_add_test(NAME test_host_folder LABEL unit USES base host)
pvf_add_test(NAME test_host_prepare_outcome LABEL unit USES base hash scale proto host
    SOURCES ${proto_samples})

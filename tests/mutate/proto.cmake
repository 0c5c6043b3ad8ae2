pvf_add_test(NAME test_proto_mutate LABEL mutate USES base hash scale proto
    SOURCES ${PROJECT_SOURCE_DIR}/tests/support/proto_samples.c)

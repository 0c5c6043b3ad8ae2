# What the fuzz targets of the messages share with the unit tests.
add_library(pvf_test_proto_samples STATIC ${PROJECT_SOURCE_DIR}/tests/support/proto_samples.c)
target_include_directories(pvf_test_proto_samples PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(pvf_test_proto_samples PUBLIC pvf_proto PRIVATE pvf_flags)

foreach(name prepare_msg execute_msg job_msg executor_params upgrade validation_result)
    pvf_add_fuzz(NAME ${name} USES base hash scale proto LIBS pvf_test_proto_samples)
endforeach()
pvf_add_fuzz(NAME frame USES base proto)

add_test(NAME integration_cli_usage COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/cli_usage.sh
    $<TARGET_FILE:pvf> ${PROJECT_SOURCE_DIR}/tests/data)
set_tests_properties(integration_cli_usage PROPERTIES LABELS integration TIMEOUT 300)
if(TARGET pvf-prepare-worker AND TARGET pvf-execute-worker)
    add_test(NAME integration_cli_run COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/cli_run.sh
        $<TARGET_FILE:pvf> ${PROJECT_SOURCE_DIR}/tests/data
        $<TARGET_FILE_DIR:pvf-prepare-worker>)
    set_tests_properties(integration_cli_run PROPERTIES LABELS integration TIMEOUT 600)
endif()
pvf_add_test(NAME cli_params_test LABEL unit USES cli)

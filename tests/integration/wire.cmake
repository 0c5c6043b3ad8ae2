# The workers' protocol byte by byte, on ours and on the reference's.  Exit code 77 means skipped,
# with a reason.
if(TARGET pvf-prepare-worker AND TARGET pvf-execute-worker)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    set(driver ${CMAKE_CURRENT_LIST_DIR}/wire_driver.py)
    # The handshake's flags; 11111 asks for every mechanism of the sandbox.
    set(securities 00000 11111)
    set(reference_securities 00000 11111)
    set(tests)
    foreach(security IN LISTS securities)
        add_test(NAME integration_wire_${security} COMMAND Python3::Interpreter ${driver}
            --prepare $<TARGET_FILE:pvf-prepare-worker>
            --execute $<TARGET_FILE:pvf-execute-worker> --security ${security})
        list(APPEND tests integration_wire_${security})
    endforeach()
    foreach(security IN LISTS reference_securities)
        add_test(NAME integration_wire_reference_${security} COMMAND Python3::Interpreter ${driver}
            --reference-in ${PROJECT_BINARY_DIR}/reference --security ${security})
        list(APPEND tests integration_wire_reference_${security})
    endforeach()
    set_tests_properties(${tests} PROPERTIES LABELS integration SKIP_RETURN_CODE 77 TIMEOUT 600
        ENVIRONMENT "PVF_SHARED_DEFAULT=${PVF_SHARED}")
endif()

# The upgraded wire, on ours.
if(TARGET pvf-prepare-worker AND TARGET pvf-execute-worker)
    add_test(NAME integration_upgrade COMMAND Python3::Interpreter
        ${CMAKE_CURRENT_LIST_DIR}/upgrade_driver.py $<TARGET_FILE:pvf-prepare-worker>
        $<TARGET_FILE:pvf-execute-worker>)
    add_test(NAME integration_upgrade_equal COMMAND Python3::Interpreter
        ${CMAKE_CURRENT_LIST_DIR}/upgrade_equal.py $<TARGET_FILE:pvf>
        $<TARGET_FILE_DIR:pvf-execute-worker> ${PROJECT_SOURCE_DIR}/tests/data/adder
        ${PROJECT_SOURCE_DIR}/tests/data/shell-2021)
    set_tests_properties(integration_upgrade integration_upgrade_equal PROPERTIES
        LABELS integration TIMEOUT 600)
endif()

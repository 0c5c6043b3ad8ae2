# The doctor on this machine as it is, and as containers and systemd units would make it.
execute_process(COMMAND ${CMAKE_C_COMPILER} -dM -E -include sys/syscall.h -x c /dev/null
    OUTPUT_VARIABLE syscall_macros)
string(REGEX MATCHALL "__NR_[a-z0-9_]+ [0-9]+" syscall_macros "${syscall_macros}")
set(syscall_names "")
foreach(macro IN LISTS syscall_macros)
    string(REGEX REPLACE "__NR_([a-z0-9_]+) ([0-9]+)" "{\"\\1\", \\2},\n" entry "${macro}")
    string(APPEND syscall_names "${entry}")
endforeach()
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/support/syscall_names.h "${syscall_names}")

add_executable(deny_syscall ${PROJECT_SOURCE_DIR}/tests/support/deny_syscall.c)
target_include_directories(deny_syscall PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/support
    ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(deny_syscall PRIVATE pvf_flags)
set_target_properties(deny_syscall PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

if(TARGET pvf-prepare-worker AND TARGET pvf-execute-worker)
    find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
    add_test(NAME integration_doctor
        COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/doctor_run.py $<TARGET_FILE:pvf>
            $<TARGET_FILE_DIR:pvf-prepare-worker> $<TARGET_FILE:deny_syscall>)
    set_tests_properties(integration_doctor PROPERTIES LABELS integration SKIP_RETURN_CODE 77
        TIMEOUT 600)
endif()

# The settings for systemd, and what is installed.
if(TARGET pvf-prepare-worker AND TARGET pvf-execute-worker)
    # A sanitizer's search for leaks needs calls that such a unit rightly refuses.
    if(NOT PVF_SANITIZE)
        add_test(NAME integration_systemd_unit
            COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/systemd_unit.py
                ${PROJECT_SOURCE_DIR}/contrib/systemd/polkadot.service.d/pvf.conf
                $<TARGET_FILE:pvf> $<TARGET_FILE_DIR:pvf-prepare-worker>
                $<TARGET_FILE:deny_syscall>)
        set_tests_properties(integration_systemd_unit PROPERTIES
            LABELS integration SKIP_RETURN_CODE 77 TIMEOUT 600)
    endif()
    add_test(NAME integration_install
        COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/install.sh ${CMAKE_COMMAND} ${PROJECT_BINARY_DIR})
    set_tests_properties(integration_install PROPERTIES
        LABELS integration SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()
add_test(NAME integration_contrib_docker COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/contrib_docker.sh
    ${PROJECT_SOURCE_DIR}/contrib/docker/add-pvf-calls)
set_tests_properties(integration_contrib_docker PROPERTIES LABELS integration SKIP_RETURN_CODE 77)

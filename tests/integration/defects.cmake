# The tables that name tests.
find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)
add_test(NAME integration_defects_named COMMAND Python3::Interpreter
    ${CMAKE_CURRENT_LIST_DIR}/defects_named.py ${PROJECT_SOURCE_DIR})
set_tests_properties(integration_defects_named PROPERTIES LABELS integration)

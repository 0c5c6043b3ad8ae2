# One helper per kind of test, so that a test is one line.
find_package(PkgConfig REQUIRED)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

# pvf_add_test(NAME test_x LABEL unit USES base wasm [ARGS …] [SOURCES …])
# The program's source is <name>.c of the calling folder; exit code 77 means skipped.
function(pvf_add_test)
    cmake_parse_arguments(ARG "" "NAME;LABEL" "USES;ARGS;SOURCES;LIBS" ${ARGN})
    add_executable(${ARG_NAME} ${ARG_NAME}.c ${ARG_SOURCES})
    set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY
        ${PROJECT_BINARY_DIR}/tests)
    target_include_directories(${ARG_NAME} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(${ARG_NAME} PRIVATE
        PVF_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
    foreach(folder IN LISTS ARG_USES)
        target_link_libraries(${ARG_NAME} PRIVATE pvf_${folder})
    endforeach()
    target_link_libraries(${ARG_NAME} PRIVATE pvf_flags PkgConfig::CMOCKA ${ARG_LIBS})
    add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME} ${ARG_ARGS})
    # Workers have an empty environment; a developer's RUST_BACKTRACE would change engine 36's texts.
    set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${ARG_LABEL}" SKIP_RETURN_CODE 77
        TIMEOUT 600 ENVIRONMENT
        "UBSAN_OPTIONS=print_stacktrace=1;CMOCKA_MESSAGE_OUTPUT=STDOUT;RUST_BACKTRACE=0")
endfunction()

# pvf_add_fuzz(NAME scale USES scale): tests/fuzz/fuzz_<name>.c, replayed over its corpus in ctest;
# with -DPVF_FUZZER=ON and clang it is a libFuzzer program instead.
option(PVF_FUZZER "Build the fuzz targets for libFuzzer (clang)" OFF)
function(pvf_add_fuzz)
    cmake_parse_arguments(ARG "" "NAME" "USES;LIBS" ${ARGN})
    set(target fuzz_${ARG_NAME})
    add_executable(${target} ${target}.c)
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY
        ${PROJECT_BINARY_DIR}/fuzz)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    foreach(folder IN LISTS ARG_USES)
        target_link_libraries(${target} PRIVATE pvf_${folder})
    endforeach()
    target_link_libraries(${target} PRIVATE pvf_flags ${ARG_LIBS})
    if(PVF_FUZZER)
        target_compile_options(${target} PRIVATE -fsanitize=fuzzer)
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/standalone_main.c)
        add_test(NAME ${target} COMMAND ${target}
            ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${ARG_NAME})
        set_tests_properties(${target} PROPERTIES LABELS fuzz-regress TIMEOUT 600)
    endif()
endfunction()

# simulate [SEED [STEPS]]; even seeds have the fair policy, odd ones the reference's.
add_executable(simulate simulate.c sim_alloc.c world.c)
set_target_properties(simulate PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_include_directories(simulate PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(simulate PRIVATE pvf_core pvf_base pvf_flags)
target_link_options(simulate PRIVATE -Wl,--wrap=calloc -Wl,--wrap=free)
foreach(seed 1 2 3 4)
    add_test(NAME simulate_${seed} COMMAND simulate ${seed} 50000)
    set_tests_properties(simulate_${seed} PROPERTIES LABELS simulation TIMEOUT 600)
endforeach()

# The table of docs/embedding.md about the two policies.
add_executable(policies policies.c)
set_target_properties(policies PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_link_libraries(policies PRIVATE pvf_core pvf_base pvf_flags)
add_test(NAME simulate_policies COMMAND policies)
set_tests_properties(simulate_policies PROPERTIES LABELS simulation TIMEOUT 600)

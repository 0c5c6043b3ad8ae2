# Every folder of src/ is a static library of its own.  Its USES list is what it may link and
# include; tools/ci/layers compares the #include lines with the same table in ARCHITECTURE.md.
function(pvf_add_folder name)
    cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBS" ${ARGN})
    add_library(pvf_${name} STATIC ${ARG_SOURCES})
    target_include_directories(pvf_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src
        ${PROJECT_SOURCE_DIR}/include)
    target_compile_definitions(pvf_${name} PUBLIC _GNU_SOURCE)
    # What a line of the log says it comes from.
    target_compile_definitions(pvf_${name} PRIVATE PVF__COMPONENT="${name}")
    target_link_libraries(pvf_${name} PRIVATE pvf_flags)
    foreach(folder IN LISTS ARG_USES)
        target_link_libraries(pvf_${name} PUBLIC pvf_${folder})
    endforeach()
    target_link_libraries(pvf_${name} PUBLIC ${ARG_LIBS})
endfunction()

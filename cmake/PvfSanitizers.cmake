# -DPVF_SANITIZE=address,undefined (or memory, thread): instruments our own C code.  The engine is
# never instrumented.
set(PVF_SANITIZE "" CACHE STRING "Sanitizers for our own code, such as address,undefined")
if(PVF_SANITIZE)
    add_compile_options(-fsanitize=${PVF_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${PVF_SANITIZE})
endif()
# With -DPVF_FUZZER=ON (cmake/PvfTests.cmake) our own code is instrumented for coverage, without
# which a fuzzer is blind.
option(PVF_FUZZER "Build the fuzz targets for libFuzzer (clang)" OFF)
if(PVF_FUZZER)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# -DPVF_SANITIZE=address,undefined (or memory, thread): instruments our own C code.  The engine is
# never instrumented.
set(PVF_SANITIZE "" CACHE STRING "Sanitizers for our own code, such as address,undefined")
if(PVF_SANITIZE)
    add_compile_options(-fsanitize=${PVF_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${PVF_SANITIZE})
endif()

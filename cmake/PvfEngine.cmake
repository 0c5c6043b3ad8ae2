# The engine: one static library, built once per machine by engine/build.sh (minutes), or given.
#   -DPVF_ENGINE_DIR=…      a folder with lib/libpvf_engine.a, include/ and native-libs
#   -DPVF_ENGINE_VERSION=…  another version than engine/VERSION; it needs a lock file in engine/locks
#   -DPVF_ENGINE_PROFILED=ON  built in thrice the time, prepares faster: engine/build.sh --profiled
# Defines the target pvf_engine_lib, and PVF_ENGINE_LICENSES: the file that names every crate in it.
set(PVF_ENGINE_DIR "" CACHE PATH "Prebuilt engine; empty: build it, or take it from the cache")
# Empty by default, so that a build folder follows a change of engine/VERSION.
set(PVF_ENGINE_VERSION "" CACHE STRING "Version of the Wasm engine; empty: engine/VERSION")
option(PVF_ENGINE_PROFILED "Build the engine with a profile of its own work" OFF)
# A change of the wrapper makes a new engine: configure again.
file(GLOB_RECURSE engine_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/engine/*)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${engine_files})

if(PVF_ENGINE_DIR)
    set(engine_dir ${PVF_ENGINE_DIR})
else()
    set(engine_build ${PROJECT_SOURCE_DIR}/engine/build.sh)
    if(PVF_ENGINE_VERSION)
        list(APPEND engine_build --version ${PVF_ENGINE_VERSION})
    endif()
    if(PVF_ENGINE_PROFILED)
        list(APPEND engine_build --profiled)
    endif()
    execute_process(COMMAND ${engine_build}
        OUTPUT_VARIABLE engine_dir OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE engine_failed)
    if(engine_failed)
        message(FATAL_ERROR "The engine could not be built; the lines above say why.")
    endif()
endif()
foreach(file lib/libpvf_engine.a include/wasmtime.h include/pvf_shim.h native-libs)
    if(NOT EXISTS ${engine_dir}/${file})
        message(FATAL_ERROR "${engine_dir} is no engine: it lacks ${file}.")
    endif()
endforeach()
message(STATUS "Engine: ${engine_dir}")
set(PVF_ENGINE_LICENSES ${engine_dir}/LICENSES.txt)

file(STRINGS ${engine_dir}/native-libs engine_native_libs)
separate_arguments(engine_native_libs UNIX_COMMAND "${engine_native_libs}")
add_library(pvf_engine_lib STATIC IMPORTED GLOBAL)
# The headers are not ours: SYSTEM keeps our warnings away from them.
set_target_properties(pvf_engine_lib PROPERTIES
    IMPORTED_LOCATION ${engine_dir}/lib/libpvf_engine.a
    INTERFACE_INCLUDE_DIRECTORIES ${engine_dir}/include
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${engine_dir}/include
    INTERFACE_LINK_LIBRARIES "${engine_native_libs}")

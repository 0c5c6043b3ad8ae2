# Warning and hardening flags, each asked of the compiler first: gcc 12 and clang 14 know different
# ones.  They are set for our own C code only, through the interface target pvf_flags.
include(CheckCCompilerFlag)

add_library(pvf_flags INTERFACE)
target_compile_definitions(pvf_flags INTERFACE _GNU_SOURCE)

set(PVF_WARNINGS
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wcast-qual -Wpointer-arith
    -Wundef -Wvla -Walloca -Wnull-dereference -Wdouble-promotion -Wswitch-enum -Wswitch-default
    -Wwrite-strings -Wredundant-decls -Wnested-externs -Wdate-time -Wimplicit-fallthrough
    -Wunused-macros
    # Messages are cut on purpose: every text has a fixed size (include/pvf/error.h).
    -Wno-format-truncation)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND PVF_WARNINGS
        -Wformat-signedness -Wcast-align=strict -Wduplicated-cond -Wduplicated-branches
        -Wlogical-op -Warith-conversion -Wstringop-overflow=4 -Wtrampolines -Wstack-usage=16384)
else()
    list(APPEND PVF_WARNINGS
        -Wcomma -Wassign-enum -Wconditional-uninitialized -Wreserved-identifier
        -Wshorten-64-to-32 -Wloop-analysis -Wthread-safety)
endif()
set(PVF_HARDENING
    -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fno-common
    -fno-strict-aliasing -fno-strict-overflow -fno-delete-null-pointer-checks)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND PVF_HARDENING -ftrivial-auto-var-init=zero -fzero-call-used-regs=used)
endif()

foreach(flag IN LISTS PVF_WARNINGS PVF_HARDENING)
    string(MAKE_C_IDENTIFIER "PVF_HAS${flag}" has)
    check_c_compiler_flag(${flag} ${has})
    if(${has})
        target_compile_options(pvf_flags INTERFACE ${flag})
    endif()
endforeach()
if(PVF_WERROR)
    target_compile_options(pvf_flags INTERFACE -Werror)
endif()
if(NOT PVF_SANITIZE)
    # Sanitizers bring their own checks of these functions; the two do not go together.
    target_compile_options(pvf_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE
        -D_FORTIFY_SOURCE=3>)
endif()
include(CheckPIESupported)
check_pie_supported()
add_link_options(-Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")

# gcc's own analyzer; gated for the folders that link no engine.
option(PVF_ANALYZE "Run gcc -fanalyzer while compiling" OFF)
if(PVF_ANALYZE)
    # gcc 12 loses an owner that is copied out of a function as part of a struct and then calls it
    # a leak; LeakSanitizer looks for real ones in every test.
    target_compile_options(pvf_flags INTERFACE -fanalyzer -Wno-analyzer-malloc-leak)
endif()

# Without the folder's library, which links the engine.
pvf_add_test(NAME test_zygote_wire LABEL unit USES base
    SOURCES ${PROJECT_SOURCE_DIR}/src/execute/zygote_wire.c)

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * train CODE…: compiles each code, a blob or plain Wasm, as the two tiers do (the settings that
 * tell the compiler how to work are those of src/engine/engine_config.c).  build.sh --profiled
 * watches it.
 */
#include <pvf_shim.h>
#include <stdio.h>
#include <stdlib.h>

#define CODE_MAX ((size_t)64 << 20)

static uint8_t raw[CODE_MAX];

static wasm_engine_t *new_engine(bool is_first_tier)
{
    wasm_config_t *config = wasm_config_new();
    wasmtime_config_cranelift_nan_canonicalization_set(config, true);
    wasmtime_config_native_unwind_info_set(config, false);
    wasmtime_config_parallel_compilation_set(config, false);
    pvf_engine_config_address_map(config, false);
    wasmtime_config_cranelift_opt_level_set(
        config, is_first_tier ? WASMTIME_OPT_LEVEL_NONE : WASMTIME_OPT_LEVEL_SPEED_AND_SIZE);
#if WASMTIME_VERSION_MAJOR >= 48
    if (is_first_tier) {
        wasmtime_config_cranelift_regalloc_algorithm_set(config, WASMTIME_REGALLOC_SINGLE_PASS);
    }
#endif
    return wasm_engine_new_with_config(config);
}

static void compile(bool is_first_tier, const uint8_t *wasm, size_t len)
{
    wasm_engine_t *engine = new_engine(is_first_tier);
    wasm_byte_vec_t artifact;
    bool panicked;
    if (pvf_engine_precompile(engine, wasm, len, 1, &artifact, &panicked) != NULL) {
        (void)fprintf(stderr, "train: a code does not compile\n");
        exit(1);
    }
    wasm_byte_vec_delete(&artifact);
    wasm_engine_delete(engine);
}

static size_t read_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t len = file != NULL ? fread(raw, 1, sizeof(raw), file) : 0;
    if (len == 0 || fclose(file) != 0) {
        (void)fprintf(stderr, "train: %s cannot be read\n", path);
        exit(1);
    }
    return len;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        uint8_t *wasm;
        size_t len;
        size_t cap;
        bool borrowed;
        size_t raw_len = read_all(argv[i]);
        if (pvf_shim_decompress(raw, raw_len, CODE_MAX, &wasm, &len, &cap, &borrowed) != 0) {
            (void)fprintf(stderr, "train: %s is damaged\n", argv[i]);
            return 1;
        }
        compile(false, wasm, len);
        compile(true, wasm, len);
        if (!borrowed) {
            pvf_shim_buffer_free(wasm, len, cap);
        }
    }
    return 0;
}

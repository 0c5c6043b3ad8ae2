/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_UNIT_ENGINE_HARNESS_H
#define PVF_TESTS_UNIT_ENGINE_HARNESS_H

#include "base/slice.h"
#include "engine/engine_config.h"
#include "engine/engine_run.h"
#include "engine_builder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far a module gets. */
enum verdict {
    VERDICT_PREPARATION,  /* refused by rewriter or compiler */
    VERDICT_LINK,         /* refused when its artifact is loaded: a precheck sees it */
    VERDICT_CONSTRUCTION, /* refused when it is instantiated */
    VERDICT_INVALID,
    VERDICT_OK,
};

struct harness_options {
    bool rewrite;              /* as in production; else the module goes to the engine as it is */
    bool warm;                 /* as in a job that waits for its candidate */
    bool ecc;                  /* with the RFC-163 host functions */
    uint32_t native_stack_max; /* 0: the default */
    uint64_t max_pages;        /* 0: the default of 2080 */
    struct pvf__slice input;
};

struct harness_result {
    enum verdict verdict;
    char text[sizeof(((struct pvf__engine_outcome *)0)->text)];
    uint8_t output[64]; /* the first bytes */
    size_t output_len;
    bool is_input; /* the output is the input, byte for byte */
};

/*
 * The group's setup.  The engine's traps are signals, whose handlers it installs once in a
 * process; the test library puts its own in their place before each test.  This keeps the
 * engine's, to be put back before each run.
 */
int harness_setup(void **state);

/* Prepares and runs a module as a worker does, up to its verdict. */
void harness_run_wasm(const uint8_t *wasm,
                      size_t len,
                      const struct harness_options *options,
                      struct harness_result *ret);

void harness_run(const struct builder *builder,
                 const struct harness_options *options,
                 struct harness_result *ret);

#endif

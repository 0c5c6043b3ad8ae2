/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_FAULT_H
#define PVF_WASM_FAULT_H

#include <stddef.h>
#include <stdint.h>

/* Which variant of the reference's PrepareError a refusal is. */
enum pvf__wasm_stage {
    PVF__WASM_PREVALIDATION = 0,
    PVF__WASM_PREPARATION = 1,
};

/* Why a blob was refused, for the wire and for a person.  Filled on failure only. */
struct pvf__wasm_fault {
    enum pvf__wasm_stage stage;
    int status;    /* PVF_ERR_MALFORMED: refused; PVF_ERR_NO_MEMORY or PVF_ERR_LIMIT: not known */
    size_t offset; /* in the decompressed blob; SIZE_MAX when there is no single place */
    char feature[48]; /* the Wasm feature that the blob seems to need, such as "SIMD"; or "" */
    char text[256];   /* the reference's words where they are known */
    char hint[160];   /* what a builder can do about it; or "" */
};

/*
 * Fills *fault and returns `status`.  The text is put into the reference's frame of words:
 * `format` gives what stands inside.  `feature` may be "".
 */
int pvf__wasm_fault_grammar(struct pvf__wasm_fault *fault,
                            size_t offset,
                            const char *feature,
                            const char *format,
                            ...) __attribute__((format(printf, 4, 5)));
int pvf__wasm_fault_limiter(struct pvf__wasm_fault *fault, size_t offset, const char *words);
int pvf__wasm_fault_prepare(struct pvf__wasm_fault *fault, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Not the blob's fault: out of memory, or the output's own maximum was met.  Returns `status`. */
int pvf__wasm_fault_machine(struct pvf__wasm_fault *fault, enum pvf__wasm_stage stage, int status);

/* Names the feature, and the hint that goes with it, afterwards. */
void pvf__wasm_fault_feature(struct pvf__wasm_fault *fault, const char *feature);

#endif

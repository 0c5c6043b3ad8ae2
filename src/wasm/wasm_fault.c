/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the words of a refusal.  Only the stage decides anything; texts follow the reference's so
 * that logs of both can be compared, and hints are for whoever built the blob.
 */
#include "wasm/wasm_fault.h"

#include "pvf/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *feature;
    const char *hint;
} hints[] = {
    {"sign-extension", "build with -C target-cpu=mvp, or run wasm-opt --signext-lowering"},
    {"saturating float-to-int",
     "build with -C target-cpu=mvp, or run wasm-opt --llvm-nontrapping-fptoint-lowering"},
    {"bulk memory",
     "build with -C target-cpu=mvp, or run wasm-opt --llvm-memory-copy-fill-lowering"},
    {"multi-value", "build with -C target-cpu=mvp: one result per function and block"},
    {"SIMD", "build without -C target-feature=+simd128"},
    {"reference types", "build with -C target-cpu=mvp"},
    {"tail calls", "build without -C target-feature=+tail-call"},
    {"exceptions", "build with panic=abort and without Wasm exception handling"},
    {"threads", "build without atomics and shared memory"},
    {"GC", "only functions of numbers can be used"},
    {"memory64", "build for a 32-bit target"},
    {"component model", "a core module is wanted, not a component"},
};

void pvf__wasm_fault_feature(struct pvf__wasm_fault *fault, const char *feature)
{
    (void)snprintf(fault->feature, sizeof(fault->feature), "%s", feature);
    fault->hint[0] = '\0';
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (strcmp(hints[i].feature, feature) == 0) {
            (void)snprintf(fault->hint, sizeof(fault->hint), "%s", hints[i].hint);
        }
    }
}

static void
start(struct pvf__wasm_fault *fault, enum pvf__wasm_stage stage, int status, size_t offset)
{
    fault->stage = stage;
    fault->status = status;
    fault->offset = offset;
    pvf__wasm_fault_feature(fault, "");
}

int pvf__wasm_fault_grammar(
    struct pvf__wasm_fault *fault, size_t offset, const char *feature, const char *format, ...)
{
    start(fault, PVF__WASM_PREVALIDATION, PVF_ERR_MALFORMED, offset);
    pvf__wasm_fault_feature(fault, feature);
    char words[192];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    (void)snprintf(
        fault->text, sizeof(fault->text), "Other(\"cannot deserialize module: %s\")", words);
    return fault->status;
}

int pvf__wasm_fault_limiter(struct pvf__wasm_fault *fault, size_t offset, const char *words)
{
    start(fault, PVF__WASM_PREPARATION, PVF_ERR_MALFORMED, offset);
    (void)snprintf(fault->text,
                   sizeof(fault->text),
                   "Other(\"cannot inject the stack limiter: \\\"%s\\\"\")",
                   words);
    return fault->status;
}

int pvf__wasm_fault_prepare(struct pvf__wasm_fault *fault, size_t offset, const char *format, ...)
{
    start(fault, PVF__WASM_PREPARATION, PVF_ERR_MALFORMED, offset);
    char words[192];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    (void)snprintf(fault->text, sizeof(fault->text), "Other(\"%s\")", words);
    return fault->status;
}

int pvf__wasm_fault_machine(struct pvf__wasm_fault *fault, enum pvf__wasm_stage stage, int status)
{
    start(fault, stage, status, SIZE_MAX);
    (void)snprintf(fault->text, sizeof(fault->text), "%s", pvf_status_text(status));
    return status;
}

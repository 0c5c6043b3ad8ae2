/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the one-shot mode that tells about a blob or an artifact.  Reads hostile bytes: it runs in
 * a process of its own, under the caller's limits, and writes nothing but JSON.
 */
#include "prepare/prepare_inspect.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/text.h"
#include "blob/decompress.h"
#include "prepare/prepare_summary.h"
#include "proto/command_line.h"
#include "proto/executor_params.h"
#include "proto/frame.h"
#include "sandbox/sandbox.h"
#include "wasm/wasm_rewrite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Longest report: a blob with a million imports still fits. */
#define REPORT_MAX ((size_t)256 << 20)

struct inspect {
    struct pvf__executor_params params;
    uint8_t params_bytes[4096];
    size_t bomb_limit;
    struct pvf__buf input;
    struct pvf__buf report;
    struct pvf__json_out json;
};

static int usage(const char *text)
{
    (void)fprintf(stderr, "inspect: %s\n", text);
    (void)fprintf(stderr, "usage: inspect [--executor-params HEX] [--bomb-limit BYTES] < BLOB\n");
    return 1;
}

static int parse(struct inspect *inspect, int argc, char **argv)
{
    pvf_error err = PVF_ERROR_INIT;
    for (int i = 2; i < argc; i += 2) {
        size_t len;
        uint64_t limit;
        if (i + 1 >= argc) {
            return usage("an option needs a value");
        }
        if (strcmp(argv[i], PVF__WORD_EXECUTOR_PARAMS) == 0) {
            if (!pvf__text_from_hex(
                    argv[i + 1], inspect->params_bytes, sizeof(inspect->params_bytes), &len)) {
                return usage("--executor-params takes the SCALE list as hex digits");
            }
            if (pvf__executor_params_decode(inspect->params_bytes, len, &inspect->params, &err) !=
                0) {
                return usage(err.text);
            }
        } else if (strcmp(argv[i], PVF__WORD_BOMB_LIMIT) == 0) {
            if (!pvf__text_parse_u64(argv[i + 1], UINT32_MAX, &limit)) {
                return usage("--bomb-limit takes a number of bytes below 2^32");
            }
            inspect->bomb_limit = (size_t)limit;
        } else {
            return usage("an option is not known");
        }
    }
    return 0;
}

static void
put_verdict(struct pvf__json_out *json, const char *stage, const struct pvf__wasm_fault *fault)
{
    pvf__json_out_open(json, "verdict", '{');
    pvf__json_out_bool(json, "ok", fault == NULL);
    if (fault != NULL) {
        pvf__json_out_string(json, "stage", stage);
        pvf__json_out_string(json, "text", fault->text);
        if (fault->offset != SIZE_MAX) {
            pvf__json_out_number(json, "offset", fault->offset);
        }
        pvf__json_out_string(json, "feature", fault->feature);
        pvf__json_out_string(json, "hint", fault->hint);
    }
    pvf__json_out_close(json, '}');
}

static void inspect_code(struct inspect *inspect, const struct pvf__blob *code)
{
    struct pvf__wasm_fault fault = {.offset = SIZE_MAX};
    struct pvf__buf module = PVF__BUF_INIT(SIZE_MAX);
    int status = pvf__wasm_rewrite(
        code->data, code->len, inspect->params.logical_max, PVF__WASM_CALLEE, &module, &fault);
    const char *stage = fault.stage == PVF__WASM_PREVALIDATION ? "prevalidation" : "preparation";
    put_verdict(&inspect->json, stage, status == 0 ? NULL : &fault);
    if (status == 0) {
        pvf__json_out_number(&inspect->json, "rewritten_len", module.len);
    }
    pvf__buf_done(&module);
    pvf__prepare_summary(&inspect->json, code->data, code->len, inspect->params.ecc_rfc163);
}

static void inspect_blob(struct inspect *inspect)
{
    struct pvf__json_out *json = &inspect->json;
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__blob code = PVF__BLOB_INIT;
    int status = pvf__blob_decompress(
        inspect->input.data, inspect->input.len, inspect->bomb_limit, &code, &err);
    pvf__json_out_string(json, "kind", "wasm");
    if (status != 0) {
        struct pvf__wasm_fault fault = {.offset = SIZE_MAX};
        (void)snprintf(fault.text, sizeof(fault.text), "%s", err.text);
        pvf__json_out_number(json, "compressed_len", inspect->input.len);
        put_verdict(json, "decompress", &fault);
        return;
    }
    pvf__json_out_bool(json, "compressed", code.own != NULL);
    pvf__json_out_number(json, "compressed_len", inspect->input.len);
    pvf__json_out_number(json, "code_len", code.len);
    pvf__json_out_number(json, "page_limit", inspect->params.max_memory_pages);
    pvf__json_out_number(json, "logical_stack", inspect->params.logical_max);
    inspect_code(inspect, &code);
    pvf__blob_done(&code);
}

static bool is_artifact(const struct pvf__buf *input)
{
    return input->len >= 4 && memcmp(input->data,
                                     "\x7f"
                                     "ELF",
                                     4) == 0;
}

int pvf__prepare_inspect_main(int argc, char **argv)
{
    static struct inspect inspect;
    inspect.bomb_limit = PVF__BLOB_CODE_LIMIT_DEFAULT;
    pvf__executor_params_init(&inspect.params);
    pvf__buf_init(&inspect.input, PVF__FRAME_MAX_PREPARE_JOB);
    pvf__buf_init(&inspect.report, REPORT_MAX);
    inspect.json.buf = &inspect.report;
    int status = parse(&inspect, argc, argv);
    if (status != 0) {
        return status;
    }
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__fd_read_all(STDIN_FILENO, "standard input", &inspect.input, &err) != 0) {
        return usage(err.text);
    }
    if (pvf__sandbox_oneshot(PVF__SECCOMP_PREPARE_JOB, &err) != 0) {
        pvf__log(PVF__LOG_WARN, "going on without a full sandbox: %s", err.text);
    }
    pvf__json_out_open(&inspect.json, NULL, '{');
    if (is_artifact(&inspect.input)) {
        pvf__prepare_summary_artifact(&inspect.json, inspect.input.data, inspect.input.len);
    } else {
        inspect_blob(&inspect);
    }
    pvf__json_out_close(&inspect.json, '}');
    (void)pvf__buf_u8(&inspect.report, '\n');
    if (inspect.report.failed != 0 ||
        pvf__fd_write(STDOUT_FILENO, inspect.report.data, inspect.report.len, &err) != 0) {
        return usage("the report could not be written");
    }
    return 0;
}

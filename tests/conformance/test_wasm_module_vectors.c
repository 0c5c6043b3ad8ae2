/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small modules against the recorded answers of the reference: at which stage each is refused, and
 * in which words where those are the first parser's or the limiter's.  What only an engine can
 * refuse may pass here.
 */
#include "support/wasm_files.h"

#include "pvf/status.h"
#include "wasm/wasm_inspect.h"
#include "wasm/wasm_rewrite.h"

#include <stdio.h>
#include <string.h>

#define LIMIT 65536

enum verdict {
    PASSED,
    REFUSED_FIRST,
    REFUSED_SECOND
};

static struct pvf__buf blob;
static struct pvf__buf output;
static unsigned failures;

static void wrong(const char *id, const char *what, const char *expected)
{
    (void)printf("%s: %s; recorded: %s\n", id, what, expected);
    failures++;
}

/* The recorded class of one stage: "" when it was not reached. */
static const char *stage_of(const char *line, const char *stage, char *class, size_t room)
{
    const char *at = wasm_files_json_value(line, stage);
    class[0] = '\0';
    if (at != NULL) {
        (void)wasm_files_json_text(at, "class", class, room);
    }
    return at;
}

static enum verdict verdict_of(enum pvf__wasm_form form, struct pvf__wasm_fault *fault)
{
    output.len = 0;
    int status = pvf__wasm_rewrite(blob.data, blob.len, LIMIT, form, &output, fault);
    if (status == 0) {
        return PASSED;
    }
    if (status != PVF_ERR_MALFORMED || fault->status != status || output.len != 0) {
        wrong("status", pvf_status_name(status), "PVF_ERR_MALFORMED");
    }
    return fault->stage == PVF__WASM_PREVALIDATION ? REFUSED_FIRST : REFUSED_SECOND;
}

/* Words that are ours on purpose. */
static bool own_words(const char *message)
{
    return strstr(message, "PolkaVM") != NULL || strstr(message, "multi_value") != NULL;
}

static void check_first(const char *id, const char *message)
{
    struct pvf__wasm_fault fault;
    if (pvf__wasm_check(blob.data, blob.len, &fault) == 0) {
        wrong(id, "accepted", message);
    } else if (!own_words(message) && strcmp(fault.text, message) != 0) {
        wrong(id, fault.text, message);
    }
    struct pvf__wasm_summary summary;
    if (pvf__wasm_summarize(blob.data, blob.len, &summary, &fault) == 0) {
        wrong(id, "summarised", message);
        pvf__wasm_summary_done(&summary);
    }
}

/* Refused by the limiter or a conversion, by the engine, or not at all. */
static void
check_second(const char *id, enum pvf__wasm_form form, const char *class, const char *message)
{
    struct pvf__wasm_fault fault = {.text = "accepted"};
    enum verdict verdict = verdict_of(form, &fault);
    bool ours = strstr(message, "cannot inject the stack limiter") != NULL ||
                strstr(message, "can't convert") != NULL ||
                strstr(message, "constant expression required") != NULL;
    if (verdict == REFUSED_FIRST || (verdict == PASSED && ours) ||
        (verdict == REFUSED_SECOND && strcmp(class, "ok") == 0)) {
        wrong(id, fault.text, message);
    }
    if (ours && strstr(message, "constant expression") == NULL &&
        strcmp(fault.text, message) != 0) {
        wrong(id, fault.text, message);
    }
}

/* Only what decompression lets through comes here. */
static bool check_line(const char *line)
{
    char id[200];
    char module[200];
    char class[60];
    char message[1000] = "accepted";
    char relative[300];
    char path[1000];
    if (!wasm_files_json_text(line, "id", id, sizeof(id)) ||
        !wasm_files_json_text(line, "module", module, sizeof(module))) {
        wrong("index", line, "");
        return false;
    }
    (void)stage_of(line, "decompress", class, sizeof(class));
    if (strcmp(class, "ok") != 0) {
        return false;
    }
    (void)snprintf(relative, sizeof(relative), "vectors/modules/%s", module);
    blob.len = 0;
    if (!wasm_files_find(relative, path, sizeof(path)) || !wasm_files_read_blob(path, &blob)) {
        wrong(id, "the module cannot be read", "");
        return false;
    }
    const char *first = stage_of(line, "prevalidate", class, sizeof(class));
    if (strcmp(class, "ok") != 0) {
        (void)wasm_files_json_text(first, "message", message, sizeof(message));
        check_first(id, message);
        return true;
    }
    const char *second = stage_of(line, "prepare", class, sizeof(class));
    if (strcmp(class, "ok") != 0) {
        (void)wasm_files_json_text(second, "message", message, sizeof(message));
    }
    check_second(id, PVF__WASM_CALL_SITE, class, message);
    check_second(id, PVF__WASM_CALLEE, class, message);
    struct pvf__wasm_fault fault;
    struct pvf__wasm_summary summary;
    if (pvf__wasm_summarize(blob.data, blob.len, &summary, &fault) != 0) {
        wrong(id, fault.text, "a summary");
        return true;
    }
    pvf__wasm_summary_done(&summary);
    return true;
}

int main(void)
{
    pvf__buf_init(&blob, (size_t)1 << 28);
    pvf__buf_init(&output, (size_t)1 << 30);
    int code =
        wasm_files_check_index("vectors/modules/index.jsonl", check_line, "cases", &failures);
    pvf__buf_done(&blob);
    pvf__buf_done(&output);
    return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real runtimes against the recorded answers of the reference: the stack cost of every function,
 * and the rewritten module byte for byte (by its hash).
 */
#include "support/wasm_files.h"

#include "hash/hash.h"
#include "wasm/wasm_rewrite.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define LIMIT 65536

static struct pvf__buf blob;
static struct pvf__buf output;
static unsigned failures;

static void wrong(const char *name, const char *what)
{
    (void)printf("%s: %s\n", name, what);
    failures++;
}

/* "function,cost,seen_in_call,seen_in_thunk" */
static void check_costs(const char *name)
{
    char file[400];
    char path[1000];
    (void)snprintf(file, sizeof(file), "vectors/rewrite/%s.csv.gz", name);
    struct pvf__buf table = PVF__BUF_INIT(1 << 26);
    struct pvf__wasm_fault fault;
    uint32_t *costs = NULL;
    size_t count = 0;
    if (pvf__wasm_costs(blob.data, blob.len, &costs, &count, &fault) != 0) {
        wrong(name, fault.text);
        return;
    }
    if (!wasm_files_find(file, path, sizeof(path)) || !wasm_files_read_gzip(path, &table) ||
        pvf__buf_u8(&table, 0) != 0) {
        wrong(name, "no table of costs");
    } else {
        char *at = (char *)table.data;
        size_t seen = 0;
        char *line = wasm_files_next_line(&at);
        while (line != NULL && (line = wasm_files_next_line(&at)) != NULL) {
            unsigned function;
            unsigned cost;
            if (sscanf(line, "%u,%u,", &function, &cost) != 2 || function >= count ||
                costs[function] != cost) {
                wrong(name, line);
                break;
            }
            seen++;
        }
        (void)printf("%s: %zu costs\n", name, seen);
    }
    pvf__buf_done(&table);
    free(costs);
}

static void check_output(const char *name, const char *expected)
{
    struct pvf__wasm_fault fault;
    output.len = 0;
    if (pvf__wasm_rewrite(blob.data, blob.len, LIMIT, PVF__WASM_CALL_SITE, &output, &fault) != 0) {
        wrong(name, fault.text);
        return;
    }
    uint8_t digest[32];
    char hex[65];
    pvf__hash_blake2b_256(output.data, output.len, digest);
    pvf__text_to_hex(digest, sizeof(digest), hex);
    if (strcmp(hex, expected) != 0) {
        wrong(name, "another output than the reference's");
    }
    output.len = 0;
    if (pvf__wasm_rewrite(blob.data, blob.len, LIMIT, PVF__WASM_CALLEE, &output, &fault) != 0) {
        wrong(name, fault.text);
    }
}

/* Every line counts as a runtime. */
static bool check_line(const char *line)
{
    char name[200];
    char file[200];
    char relative[300];
    char expected[100];
    char path[1000];
    if (!wasm_files_json_text(line, "name", name, sizeof(name)) ||
        !wasm_files_json_text(line, "file", file, sizeof(file)) ||
        !wasm_files_json_text(line, "rewritten_blake2b_256", expected, sizeof(expected))) {
        wrong("index", line);
        return true;
    }
    (void)snprintf(relative, sizeof(relative), "corpus/pvf/%s", file);
    blob.len = 0;
    if (!wasm_files_find(relative, path, sizeof(path)) || !wasm_files_read_blob(path, &blob)) {
        wrong(name, "the blob is missing");
        return true;
    }
    check_costs(name);
    check_output(name, expected);
    return true;
}

int main(void)
{
    pvf__buf_init(&blob, (size_t)1 << 28);
    pvf__buf_init(&output, (size_t)1 << 30);
    int code =
        wasm_files_check_index("vectors/rewrite/index.jsonl", check_line, "runtimes", &failures);
    pvf__buf_done(&blob);
    pvf__buf_done(&output);
    return code;
}

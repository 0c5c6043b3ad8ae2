/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: showing what the prepare worker tells of a blob or artifact.  The JSON is a worker's, so
 * nothing in it is trusted: any member may be missing or of another type, texts are cleaned.
 */
#include "cli/cli_details.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_JSON ((size_t)16 << 20)

json_t *pvf__cli_details_get(struct pvf__cli_context *context, pvf_error *err)
{
    struct pvf__slice code = {.data = context->code.data, .len = context->code.len};
    PVF__CLEANUP_BUF struct pvf__buf text = PVF__BUF_INIT(MAX_JSON);
    if (pvf__cli_job_inspect(
            context->session, code, &context->params, &context->options, &text, err) != PVF_OK) {
        return NULL;
    }
    json_error_t where;
    json_t *details = json_loadb((const char *)text.data, text.len, 0, &where);
    if (!json_is_object(details)) {
        json_decref(details);
        (void)pvf__error_set(err, PVF_ERR_PEER, "the prepare worker's answer is no JSON object");
        return NULL;
    }
    return details;
}

bool pvf__cli_details_number(const json_t *details, const char *key, uint64_t *ret)
{
    const json_t *value = json_object_get(details, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return false;
    }
    *ret = (uint64_t)json_integer_value(value);
    return true;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void
text_row(const json_t *object, const char *key, const char *label, struct pvf__cli_report *report)
{
    const char *text = text_of(object, key);
    if (text && text[0] != '\0') {
        pvf__cli_report_row(report, label, "%s", text);
    }
}

void pvf__cli_details_verdict(const json_t *details, struct pvf__cli_report *report)
{
    const json_t *verdict = json_object_get(details, "verdict");
    uint64_t offset = 0;
    text_row(verdict, "stage", "stage", report);
    text_row(verdict, "text", "finding", report);
    if (pvf__cli_details_number(verdict, "offset", &offset)) {
        pvf__cli_report_row(report, "offset", "%" PRIu64 " (0x%" PRIx64 ")", offset, offset);
    }
    text_row(verdict, "feature", "feature", report);
    text_row(verdict, "hint", "what to do", report);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

void pvf__cli_details_imports(const json_t *details, bool all, struct pvf__cli_report *report)
{
    const json_t *imports = json_object_get(details, "imports");
    size_t stubs = 0;
    size_t index = 0;
    const json_t *import = NULL;
    if (!json_is_array(imports)) {
        return;
    }
    json_array_foreach(imports, index, import)
    {
        stubs += json_is_false(json_object_get(import, "provided")) ? 1 : 0;
    }
    if (stubs == 0) {
        pvf__cli_report_row(report, "imports", "%zu, all provided", json_array_size(imports));
    } else {
        pvf__cli_report_row(report,
                            "imports",
                            "%zu, of which %zu are stubs (a call of one traps)",
                            json_array_size(imports),
                            stubs);
    }
    json_array_foreach(imports, index, import)
    {
        bool stub = json_is_false(json_object_get(import, "provided"));
        if (all || stub) {
            pvf__cli_report_row(report,
                                stub ? "  stub" : "  import",
                                "%s:%s %s",
                                or_empty(text_of(import, "module")),
                                or_empty(text_of(import, "name")),
                                or_empty(text_of(import, "signature")));
        }
    }
}

void pvf__cli_details_stack(const json_t *details, struct pvf__cli_report *report)
{
    uint64_t cost = 0;
    uint64_t limit = 0;
    if (!pvf__cli_details_number(details, "max_cost", &cost)) {
        return;
    }
    if (pvf__cli_details_number(details, "logical_stack", &limit) && limit > 0) {
        double headroom = 100.0 - 100.0 * (double)cost / (double)limit;
        pvf__cli_report_row(report,
                            "stack",
                            "largest frame %" PRIu64 " of %" PRIu64 " values (headroom %.1f %%)",
                            cost,
                            limit,
                            headroom);
        return;
    }
    pvf__cli_report_row(report, "stack", "largest frame %" PRIu64 " values", cost);
}

void pvf__cli_details_memory(const json_t *details, struct pvf__cli_report *report)
{
    const json_t *memory = json_object_get(details, "memory");
    uint64_t min = 0;
    uint64_t max = 0;
    uint64_t limit = 0;
    char most[48] = "no maximum";
    char of[64] = "";
    if (!pvf__cli_details_number(memory, "min", &min)) {
        return;
    }
    if (pvf__cli_details_number(memory, "max", &max)) {
        (void)snprintf(most, sizeof most, "at most %" PRIu64, max);
    }
    if (pvf__cli_details_number(details, "page_limit", &limit) && limit > 0) {
        (void)snprintf(of,
                       sizeof of,
                       ", limit %" PRIu64 " (headroom %.1f %%)",
                       limit,
                       100.0 - 100.0 * (double)min / (double)limit);
    }
    pvf__cli_report_row(report,
                        "guest memory",
                        "%" PRIu64 " pages at start, %s%s%s",
                        min,
                        most,
                        json_is_true(json_object_get(memory, "imported")) ? ", imported" : "",
                        of);
}

static void counts_row(const json_t *details, struct pvf__cli_report *report)
{
    static const char *const keys[5] = {
        "functions", "globals", "tables", "data_segments", "element_segments"};
    static const char *const names[5] = {
        "functions", "globals", "tables", "data segments", "element segments"};
    char line[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < 5; i++) {
        uint64_t count = 0;
        if (used < sizeof line && pvf__cli_details_number(details, keys[i], &count)) {
            int len = snprintf(line + used,
                               sizeof line - used,
                               "%s%" PRIu64 " %s",
                               used ? ", " : "",
                               count,
                               names[i]);
            used += len > 0 ? (size_t)len : 0;
        }
    }
    if (used > 0) {
        pvf__cli_report_row(report, "module", "%s", line);
    }
}

void pvf__cli_details_layout(const json_t *details, struct pvf__cli_report *report)
{
    static const char *const flags[4][2] = {{"has_memory", "memory"},
                                            {"has_heap_base", "__heap_base"},
                                            {"has_validate_block", "validate_block"},
                                            {"start", "start function"}};
    uint64_t bytes = 0;
    size_t index = 0;
    const json_t *item = NULL;
    text_row(details, "checksum", "checksum", report);
    counts_row(details, report);
    if (pvf__cli_details_number(details, "largest_body", &bytes)) {
        pvf__cli_report_row(report, "largest body", "%" PRIu64 " bytes", bytes);
    }
    for (size_t i = 0; i < 4; i++) {
        const json_t *flag = json_object_get(details, flags[i][0]);
        if (json_is_boolean(flag)) {
            pvf__cli_report_row(report, flags[i][1], "%s", json_is_true(flag) ? "yes" : "no");
        }
    }
    json_array_foreach(json_object_get(details, "sections"), index, item)
    {
        uint64_t offset = 0;
        uint64_t size = 0;
        const char *name = text_of(item, "name");
        if (pvf__cli_details_number(item, "offset", &offset) &&
            pvf__cli_details_number(item, "size", &size)) {
            pvf__cli_report_row(report,
                                "  section",
                                "%-12s %10" PRIu64 " bytes at %" PRIu64,
                                name && name[0] != '\0' ? name : or_empty(text_of(item, "kind")),
                                size,
                                offset);
        }
    }
    json_array_foreach(json_object_get(details, "exports"), index, item)
    {
        pvf__cli_report_row(report,
                            "  export",
                            "%s %s",
                            or_empty(text_of(item, "kind")),
                            or_empty(text_of(item, "name")));
    }
}

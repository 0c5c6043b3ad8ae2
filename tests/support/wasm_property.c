/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the properties of the Wasm parts that hold for any input. */
#include "support/wasm_property.h"

#include "pvf/status.h"
#include "wasm/wasm_inspect.h"
#include "wasm/wasm_module.h"
#include "wasm/wasm_rewrite.h"

#include <string.h>

#define OUTPUT_MAX ((size_t)1 << 28)

/* Whether a refusal is told as it should be. */
static bool told(const struct pvf__wasm_fault *fault, int status, size_t len)
{
    return status == PVF_ERR_MALFORMED && fault->status == status &&
           (fault->stage == PVF__WASM_PREVALIDATION || fault->stage == PVF__WASM_PREPARATION) &&
           (fault->offset == SIZE_MAX || fault->offset <= len) &&
           memchr(fault->text, '\0', sizeof(fault->text)) != NULL && fault->text[0] != '\0';
}

/*
 * The data count is written behind the code, where the grammar refuses it; apart from that output
 * is input again.  Custom sections come out in reverse, so a second time gives the first order.
 */
static const char *check_output(const struct pvf__buf *out)
{
    struct pvf__wasm_fault fault;
    struct pvf__wasm_module module;
    if (pvf__wasm_module_parse(out->data, out->len, &module, &fault) != 0) {
        return strstr(fault.text, "SectionsOutOfOrder") != NULL ? NULL : "output is no input";
    }
    const char *broken = NULL;
    if (module.sections[PVF__WASM_SEC_GLOBAL].count == 0) {
        broken = "there is no counter";
    }
    struct pvf__wasm_reader reader;
    pvf__wasm_reader_init(&reader, out->data, out->len, &fault);
    reader.in.at += 8;
    while (broken == NULL && !pvf__wasm_reader_done(&reader)) {
        struct pvf__wasm_raw raw;
        if (pvf__wasm_module_next_section(&reader, &raw) != 0 || reader.loose) {
            broken = "a section's length is not the shortest";
        }
    }
    pvf__wasm_module_done(&module);
    return broken;
}

static const char *check_forms(const uint8_t *data, size_t len, bool costs_known)
{
    struct pvf__buf callee = PVF__BUF_INIT(OUTPUT_MAX);
    struct pvf__buf site = PVF__BUF_INIT(OUTPUT_MAX);
    struct pvf__wasm_fault fault = {.text = ""};
    struct pvf__wasm_fault other = {.text = ""};
    int status = pvf__wasm_rewrite(data, len, 65536, PVF__WASM_CALLEE, &callee, &fault);
    int status_site = pvf__wasm_rewrite(data, len, 65536, PVF__WASM_CALL_SITE, &site, &other);
    const char *broken = NULL;
    if (status != status_site) {
        broken = "the forms disagree";
    } else if (status == 0) {
        broken = !costs_known ? "rewritten without costs" : check_output(&callee);
        broken = broken != NULL ? broken : check_output(&site);
    } else if (!told(&fault, status, len) || fault.stage != PVF__WASM_PREPARATION ||
               strcmp(fault.text, other.text) != 0 || callee.len != 0) {
        broken = "a refusal is told wrongly";
    }
    pvf__buf_done(&callee);
    pvf__buf_done(&site);
    return broken;
}

const char *wasm_property_broken(const uint8_t *data, size_t len)
{
    struct pvf__wasm_fault fault;
    int status = pvf__wasm_check(data, len, &fault);
    if (status != 0 && (!told(&fault, status, len) || fault.stage != PVF__WASM_PREVALIDATION)) {
        return "a refusal of the grammar is told wrongly";
    }
    struct pvf__wasm_summary summary;
    int summarized = pvf__wasm_summarize(data, len, &summary, &fault);
    if (summarized != status) {
        return "summary and grammar disagree";
    }
    uint32_t *costs = NULL;
    size_t count = 0;
    int costed = pvf__wasm_costs(data, len, &costs, &count, &fault);
    free(costs);
    if (status != 0) {
        return costed == status ? NULL : "costs without grammar";
    }
    bool known = summary.costs_known;
    bool counts = costed != 0 || count == summary.functions + summary.imported_functions;
    pvf__wasm_summary_done(&summary);
    if (known != (costed == 0) || !counts) {
        return "costs and summary disagree";
    }
    return check_forms(data, len, known);
}

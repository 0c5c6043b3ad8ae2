/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the commands precheck and inspect. */
#include "cli/cli_command.h"
#include "cli/cli_details.h"
#include "cli/cli_exit.h"
#include "cli/cli_progress.h"

#include <string.h>

static void stack_limits_row(struct pvf__cli_context *context)
{
    const struct pvf__executor_params *params = &context->params;
    char native[32];
    pvf__cli_report_bytes(params->native_max, native, sizeof native);
    pvf__cli_report_row(&context->report,
                        "limits",
                        "stack %u values, %s native; guest memory %u pages",
                        params->logical_max,
                        native,
                        params->max_memory_pages);
    pvf__cli_report_number(&context->report, "stack_logical_limit", params->logical_max);
    pvf__cli_report_number(&context->report, "stack_native_limit", params->native_max);
    pvf__cli_report_number(&context->report, "memory_pages_limit", params->max_memory_pages);
}

int pvf__cli_precheck(struct pvf__cli_context *context, bool *ret_print)
{
    struct pvf__cli_outcome outcome;
    struct pvf__cli_report *report = &context->report;
    pvf_error err = PVF_ERROR_INIT;
    int stop = pvf__cli_prepare_run(context, context->options.repeat, &outcome);
    if (stop >= 0) {
        return stop;
    }
    pvf__cli_progress_begin("inspecting");
    json_t *details = pvf__cli_details_get(context, &err);
    pvf__cli_progress_end();
    pvf__cli_verdict_rows(context, &outcome);
    if (details && outcome.class != PVF__CLI_CLASS_VALID) {
        pvf__cli_details_verdict(details, report);
    }
    pvf__cli_prepare_rows(context, &outcome);
    if (details) {
        pvf__cli_details_imports(details, false, report);
        pvf__cli_details_stack(details, report);
        pvf__cli_details_memory(details, report);
    } else {
        pvf__cli_report_row(report, "details", "none: %s", err.text);
    }
    stack_limits_row(context);
    if (context->code.len > context->options.max_code_size) {
        pvf__cli_report_row(report,
                            "note",
                            "the chain takes no code of more than %u bytes",
                            context->options.max_code_size);
    }
    pvf__cli_report_json(report, "details", details);
    *ret_print = true;
    return pvf__cli_class_exit(outcome.class);
}

int pvf__cli_inspect(struct pvf__cli_context *context, bool *ret_print)
{
    struct pvf__cli_report *report = &context->report;
    pvf_error err = PVF_ERROR_INIT;
    json_t *details = pvf__cli_details_get(context, &err);
    if (!details) {
        return pvf__cli_fail(PVF__CLI_INTERNAL,
                             "inspect needs pvf's own prepare worker; see --workers",
                             "nothing could be found out: %s",
                             err.text);
    }
    const char *kind = json_string_value(json_object_get(details, "kind"));
    bool bad = json_is_false(json_object_get(json_object_get(details, "verdict"), "ok"));
    uint64_t bytes = 0;
    char text[32];
    pvf__cli_report_row(report, "kind", "%s", kind ? kind : "unknown");
    pvf__cli_report_bytes(context->code.len, text, sizeof text);
    pvf__cli_report_row(report, "size", "%s (%zu bytes)", text, context->code.len);
    if (json_is_true(json_object_get(details, "compressed")) &&
        pvf__cli_details_number(details, "code_len", &bytes)) {
        pvf__cli_report_of_bytes(
            report, "decompressed", "decompressed_size", bytes, context->options.bomb_limit);
    }
    report->verdict = bad ? "invalid" : "valid";
    if (bad) {
        pvf__cli_report_row(report, "verdict", "invalid");
        pvf__cli_details_verdict(details, report);
    }
    pvf__cli_details_stack(details, report);
    pvf__cli_details_memory(details, report);
    pvf__cli_details_layout(details, report);
    pvf__cli_details_imports(details, true, report);
    pvf__cli_report_number(report, "size", context->code.len);
    pvf__cli_report_json(report, "details", details);
    *ret_print = true;
    return bad ? PVF__CLI_INVALID : PVF__CLI_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_DETAILS_H
#define PVF_CLI_CLI_DETAILS_H

#include "cli/cli_command.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * What the prepare worker's one-shot mode told, as JSON; NULL when it told nothing (other worker
 * programs have no such mode), with the reason in `err`.  The caller owns it.
 */
json_t *pvf__cli_details_get(struct pvf__cli_context *context, pvf_error *err);

/* Rows of its parts; every member may be missing. */
void pvf__cli_details_verdict(const json_t *details, struct pvf__cli_report *report);
void pvf__cli_details_imports(const json_t *details, bool all, struct pvf__cli_report *report);
void pvf__cli_details_stack(const json_t *details, struct pvf__cli_report *report);
void pvf__cli_details_memory(const json_t *details, struct pvf__cli_report *report);
void pvf__cli_details_layout(const json_t *details, struct pvf__cli_report *report);

/* A member as a number, or false. */
PVF__NODISCARD bool pvf__cli_details_number(const json_t *details, const char *key, uint64_t *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_REPORT_H
#define PVF_CLI_CLI_REPORT_H

#include "base/cleanup.h"
#include "cli/cli_options.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a command found out, collected once and printed in one of three forms: aligned rows for
 * people, a JSON object, or one line of tab-separated columns.
 */
struct pvf__cli_report {
    json_t *json; /* owned */
    struct {
        char label[24];
        char text[512];
    } rows[256];
    size_t count;
    size_t dropped;      /* rows that had no room */
    const char *verdict; /* static texts */
    char reason[64];
    char head_hash[65]; /* empty: none */
    uint64_t cpu_us;
    uint64_t wall_us;
    uint64_t peak_bytes;
    uint64_t artifact_bytes;
};

/* False when there is no memory. */
PVF__NODISCARD bool pvf__cli_report_init(struct pvf__cli_report *report);
void pvf__cli_report_done(struct pvf__cli_report *report);

/* A row for people only; control characters of foreign texts become '?'. */
void pvf__cli_report_row(struct pvf__cli_report *report, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A member of the JSON object only.  A number above 2^63-1 becomes a string. */
void pvf__cli_report_json(struct pvf__cli_report *report, const char *key, json_t *value);
void pvf__cli_report_number(struct pvf__cli_report *report, const char *key, uint64_t value);
void pvf__cli_report_string(struct pvf__cli_report *report, const char *key, const char *text);
void pvf__cli_report_hex(struct pvf__cli_report *report,
                         const char *key,
                         const uint8_t *data,
                         size_t len);

/* Prints to stdout; false when that failed. */
PVF__NODISCARD bool pvf__cli_report_print(const struct pvf__cli_report *report,
                                          enum pvf__cli_format format);

/* "1.25 MiB", "12.3 ms", "83.1 %": short texts for people, cut at `size`. */
void pvf__cli_report_bytes(uint64_t bytes, char *out, size_t size);
void pvf__cli_report_time(uint64_t us, char *out, size_t size);

/* A row with such a text and, in JSON, the number under `key`. */
void pvf__cli_report_size(struct pvf__cli_report *report,
                          const char *label,
                          const char *key,
                          uint64_t bytes);
void pvf__cli_report_span(struct pvf__cli_report *report,
                          const char *label,
                          const char *key,
                          uint64_t us);

/* A row "value of limit (headroom 12.3 %)" and, in JSON, key, key_limit. */
void pvf__cli_report_of_bytes(struct pvf__cli_report *report,
                              const char *label,
                              const char *key,
                              uint64_t value,
                              uint64_t limit);
void pvf__cli_report_of_time(struct pvf__cli_report *report,
                             const char *label,
                             const char *key,
                             uint64_t us,
                             uint64_t limit_us);

/* Makes a text fit for a terminal, in place: no control characters, only well-formed UTF-8. */
void pvf__cli_report_clean(char *text);

#endif

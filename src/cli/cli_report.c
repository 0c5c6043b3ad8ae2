/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: how results look.  Texts that come from workers may hold anything (a trap's text is written
 * by the candidate): they are cleaned before they reach a terminal or JSON.
 */
#include "cli/cli_report.h"

#include "base/text.h"
#include "cli/cli_exit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int pvf__cli_fail(enum pvf__cli_exit code, const char *hint, const char *format, ...)
{
    char text[768];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pvf__cli_report_clean(text);
    (void)fprintf(stderr, "pvf: %s\n", text);
    if (hint) {
        (void)fprintf(stderr, "     %s\n", hint);
    }
    return (int)code;
}

bool pvf__cli_report_init(struct pvf__cli_report *report)
{
    memset(report, 0, sizeof *report);
    report->json = json_object();
    report->verdict = "internal";
    return report->json != NULL;
}

void pvf__cli_report_done(struct pvf__cli_report *report)
{
    json_decref(report->json);
    report->json = NULL;
}

void pvf__cli_report_clean(char *text)
{
    size_t len = strlen(text);
    if (!pvf__text_is_utf8((const uint8_t *)text, len)) {
        for (size_t i = 0; i < len; i++) {
            if ((unsigned char)text[i] >= 0x80) {
                text[i] = '?';
            }
        }
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char at = (unsigned char)text[i];
        if (at < 0x20 || at == 0x7F) {
            text[i] = at == '\n' || at == '\t' ? ' ' : '?';
        } else if (at == 0xC2 && (unsigned char)text[i + 1] < 0xA0) {
            /* U+0080 to U+009F steer terminals too. */
            text[i] = '?';
            text[i + 1] = '?';
        }
    }
}

void pvf__cli_report_row(struct pvf__cli_report *report, const char *label, const char *format, ...)
{
    if (report->count == sizeof report->rows / sizeof report->rows[0]) {
        report->dropped++;
        return;
    }
    (void)snprintf(report->rows[report->count].label, sizeof report->rows[0].label, "%s", label);
    char *text = report->rows[report->count].text;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof report->rows[0].text, format, args);
    va_end(args);
    pvf__cli_report_clean(text);
    report->count++;
}

void pvf__cli_report_json(struct pvf__cli_report *report, const char *key, json_t *value)
{
    (void)json_object_set_new(report->json, key, value ? value : json_null());
}

void pvf__cli_report_number(struct pvf__cli_report *report, const char *key, uint64_t value)
{
    if (value <= INT64_MAX) {
        pvf__cli_report_json(report, key, json_integer((json_int_t)value));
        return;
    }
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    pvf__cli_report_json(report, key, json_string(text));
}

void pvf__cli_report_string(struct pvf__cli_report *report, const char *key, const char *text)
{
    pvf__cli_report_json(report, key, json_string(text));
}

void pvf__cli_report_hex(struct pvf__cli_report *report,
                         const char *key,
                         const uint8_t *data,
                         size_t len)
{
    char *text = malloc(2 * len + 3);
    if (!text) {
        return;
    }
    text[0] = '0';
    text[1] = 'x';
    pvf__text_to_hex(data, len, text + 2);
    pvf__cli_report_string(report, key, text);
    free(text);
}

void pvf__cli_report_bytes(uint64_t bytes, char *out, size_t size)
{
    static const char *const units[] = {"KiB", "MiB", "GiB"};
    if (bytes < 10240) {
        (void)snprintf(out, size, "%" PRIu64 " B", bytes);
        return;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    while (value >= 1024 && unit < 2) {
        value /= 1024;
        unit++;
    }
    (void)snprintf(out, size, "%.*f %s", value < 100 ? 1 : 0, value, units[unit]);
}

void pvf__cli_report_time(uint64_t us, char *out, size_t size)
{
    if (us < 10000000) {
        (void)snprintf(out, size, "%.1f ms", (double)us / 1e3);
    } else {
        (void)snprintf(out, size, "%.1f s", (double)us / 1e6);
    }
}

static void plain(struct pvf__cli_report *report,
                  const char *label,
                  const char *key,
                  uint64_t value,
                  void (*show)(uint64_t, char *, size_t))
{
    char text[32];
    show(value, text, sizeof text);
    pvf__cli_report_row(report, label, "%s", text);
    pvf__cli_report_number(report, key, value);
}

void pvf__cli_report_size(struct pvf__cli_report *report,
                          const char *label,
                          const char *key,
                          uint64_t bytes)
{
    plain(report, label, key, bytes, pvf__cli_report_bytes);
}

void pvf__cli_report_span(struct pvf__cli_report *report,
                          const char *label,
                          const char *key,
                          uint64_t us)
{
    plain(report, label, key, us, pvf__cli_report_time);
}

static void of(struct pvf__cli_report *report,
               const char *label,
               const char *key,
               uint64_t value,
               uint64_t limit,
               void (*show)(uint64_t, char *, size_t))
{
    char have[32];
    char most[32];
    char limit_key[64];
    show(value, have, sizeof have);
    show(limit, most, sizeof most);
    double headroom = limit ? 100.0 - 100.0 * (double)value / (double)limit : 0;
    pvf__cli_report_row(report, label, "%s of %s (headroom %.1f %%)", have, most, headroom);
    pvf__cli_report_number(report, key, value);
    (void)snprintf(limit_key, sizeof limit_key, "%s_limit", key);
    pvf__cli_report_number(report, limit_key, limit);
}

void pvf__cli_report_of_bytes(struct pvf__cli_report *report,
                              const char *label,
                              const char *key,
                              uint64_t value,
                              uint64_t limit)
{
    of(report, label, key, value, limit, pvf__cli_report_bytes);
}

void pvf__cli_report_of_time(struct pvf__cli_report *report,
                             const char *label,
                             const char *key,
                             uint64_t us,
                             uint64_t limit_us)
{
    of(report, label, key, us, limit_us, pvf__cli_report_time);
}

static void print_rows(const struct pvf__cli_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        (void)printf("%-18s %s\n", report->rows[i].label, report->rows[i].text);
    }
    if (report->dropped > 0) {
        (void)printf("%-18s %zu more; --json has them all\n", "", report->dropped);
    }
}

static void print_tsv(const struct pvf__cli_report *report)
{
    (void)printf("%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n",
                 report->verdict,
                 report->reason[0] ? report->reason : "-",
                 report->head_hash[0] ? report->head_hash : "-",
                 report->cpu_us,
                 report->wall_us,
                 report->peak_bytes,
                 report->artifact_bytes);
}

bool pvf__cli_report_print(const struct pvf__cli_report *report, enum pvf__cli_format format)
{
    if (format == PVF__CLI_JSON) {
        if (json_dumpf(report->json, stdout, JSON_INDENT(2)) != 0) {
            return false;
        }
        (void)putchar('\n');
    } else if (format == PVF__CLI_TSV) {
        print_tsv(report);
    } else {
        print_rows(report);
    }
    return fflush(stdout) == 0 && !ferror(stdout);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: how the figures are shown.  A ratio is theirs over ours: above 1, ours is better. */
#include "base/json_out.h"
#include "cli/cli_bench.h"
#include "cli/cli_exit.h"
#include "cli/cli_report.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define REPORT_MAX ((size_t)16 << 20)

static const struct {
    const char *label; /* for people */
    const char *title; /* of a column of the Markdown table; NULL: not in it */
    const char *key;
    bool is_time;
} table[PVF__BENCH_FIGURES] = {
    [PVF__BENCH_JOB_WALL_P50] = {"job wall, median", "job p50", "job_wall_us_p50", true},
    [PVF__BENCH_JOB_WALL_P99] = {"job wall, p99", "job p99", "job_wall_us_p99", true},
    [PVF__BENCH_JOB_WALL_MIN] = {"job wall, least", "job min", "job_wall_us_min", true},
    [PVF__BENCH_JOB_CPU_P50] = {"job CPU, median", "job CPU", "job_cpu_us_p50", true},
    [PVF__BENCH_JOB_CPU_MIN] = {"job CPU, least", NULL, "job_cpu_us_min", true},
    [PVF__BENCH_JOB_RSS] = {"job memory", "job memory", "job_peak_rss", false},
    [PVF__BENCH_PREPARE_WALL] = {"prepare wall", "prepare wall", "prepare_wall_us_p50", true},
    [PVF__BENCH_PREPARE_CPU] = {"prepare CPU", "prepare CPU", "prepare_cpu_us_p50", true},
    [PVF__BENCH_PREPARE_RSS] = {"prepare memory", "prepare memory", "prepare_peak_rss", false},
    [PVF__BENCH_PREPARE_HEAP] = {"prepare heap", NULL, "prepare_peak_heap", false},
    [PVF__BENCH_ARTIFACT] = {"artifact", "artifact", "artifact_bytes", false},
};

static void show(size_t figure, uint64_t value, char *out, size_t size)
{
    if (value == 0) {
        (void)snprintf(out, size, "-");
    } else if (!table[figure].is_time) {
        pvf__cli_report_bytes(value, out, size);
    } else if (value < 10000) {
        (void)snprintf(out, size, "%.3f ms", (double)value / 1e3);
    } else {
        pvf__cli_report_time(value, out, size);
    }
}

/* False when one of the two is not known. */
static bool ratio(const struct pvf__bench_row *row, size_t figure, double *ret)
{
    uint64_t ours = row->figures[0][figure];
    uint64_t theirs = row->figures[1][figure];
    if (ours == 0 || theirs == 0) {
        return false;
    }
    *ret = (double)theirs / (double)ours;
    return true;
}

static void print_rows(const struct pvf__bench *bench, const struct pvf__bench_row *row)
{
    char size[32];
    char texts[2][32];
    double value;
    pvf__cli_report_bytes(row->code_len, size, sizeof size);
    (void)printf("%s, %s of code\n", row->name, size);
    if (bench->side_count == 2) {
        (void)printf("  %-18s %12s %12s %9s\n", "", "ours", "theirs", "ratio");
    }
    for (size_t i = 0; i < PVF__BENCH_FIGURES; i++) {
        show(i, row->figures[0][i], texts[0], sizeof texts[0]);
        show(i, row->figures[1][i], texts[1], sizeof texts[1]);
        if (bench->side_count == 1) {
            (void)printf("  %-18s %12s\n", table[i].label, texts[0]);
        } else if (ratio(row, i, &value)) {
            (void)printf("  %-18s %12s %12s %9.2f\n", table[i].label, texts[0], texts[1], value);
        } else {
            (void)printf("  %-18s %12s %12s %9s\n", table[i].label, texts[0], texts[1], "-");
        }
    }
}

static void
print_markdown(const struct pvf__bench *bench, const struct pvf__bench_row *rows, size_t count)
{
    (void)printf("| case |");
    for (size_t i = 0; i < PVF__BENCH_FIGURES; i++) {
        if (table[i].title != NULL) {
            (void)printf(" %s |", table[i].title);
        }
    }
    (void)printf("\n|---|");
    for (size_t i = 0; i < PVF__BENCH_FIGURES; i++) {
        (void)printf("%s", table[i].title != NULL ? "---|" : "");
    }
    (void)printf("\n");
    for (size_t at = 0; at < count; at++) {
        (void)printf("| %s |", rows[at].name);
        for (size_t i = 0; i < PVF__BENCH_FIGURES; i++) {
            char texts[2][32];
            double value;
            if (table[i].title == NULL) {
                continue;
            }
            show(i, rows[at].figures[0][i], texts[0], sizeof texts[0]);
            show(i, rows[at].figures[1][i], texts[1], sizeof texts[1]);
            (void)printf(" %s", texts[0]);
            if (bench->side_count == 2) {
                (void)printf(" / %s", texts[1]);
            }
            if (ratio(&rows[at], i, &value)) {
                (void)printf(" (%.2f ×)", value);
            }
            (void)printf(" |");
        }
        (void)printf("\n");
    }
}

static void print_head(const struct pvf__bench *bench)
{
    struct utsname machine;
    memset(&machine, 0, sizeof machine);
    (void)uname(&machine);
    (void)printf("%s; %u jobs and %u preparations per side and case; %ld processors, %s %s\n\n",
                 bench->side_count == 2 ? "ours / theirs (theirs over ours), by turns"
                                        : "ours only: absolute figures",
                 bench->options.runs,
                 bench->options.prepares,
                 sysconf(_SC_NPROCESSORS_ONLN),
                 machine.sysname,
                 machine.release);
}

static void put_case(const struct pvf__bench *bench,
                     const struct pvf__bench_row *row,
                     struct pvf__json_out *json)
{
    static const char *const sides[2] = {"ours", "theirs"};
    double value;
    pvf__json_out_open(json, NULL, '{');
    pvf__json_out_string(json, "case", row->name);
    pvf__json_out_number(json, "code_bytes", row->code_len);
    for (size_t side = 0; side < bench->side_count; side++) {
        pvf__json_out_open(json, sides[side], '{');
        for (size_t i = 0; i < PVF__BENCH_FIGURES; i++) {
            if (row->figures[side][i] != 0) {
                pvf__json_out_number(json, table[i].key, row->figures[side][i]);
            }
        }
        pvf__json_out_close(json, '}');
    }
    if (bench->side_count == 2) {
        pvf__json_out_open(json, "ratio", '{');
        for (size_t i = 0; i < PVF__BENCH_FIGURES; i++) {
            if (ratio(row, i, &value)) {
                pvf__json_out_decimal(json, table[i].key, value);
            }
        }
        pvf__json_out_close(json, '}');
    }
    pvf__json_out_close(json, '}');
}

static int
print_json(const struct pvf__bench *bench, const struct pvf__bench_row *rows, size_t count)
{
    PVF__CLEANUP_BUF struct pvf__buf text = PVF__BUF_INIT(REPORT_MAX);
    struct pvf__json_out json = {.buf = &text};
    struct utsname machine;
    pvf__json_out_open(&json, NULL, '{');
    if (uname(&machine) == 0) {
        pvf__json_out_string(&json, "kernel", machine.release);
    }
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    pvf__json_out_number(&json, "processors", processors > 0 ? (uint64_t)processors : 0);
    pvf__json_out_number(&json, "runs", bench->options.runs);
    pvf__json_out_number(&json, "prepares", bench->options.prepares);
    pvf__json_out_number(&json, "warm_up", bench->options.warm_up);
    pvf__json_out_bool(&json, "fenced", bench->options.fenced);
    pvf__json_out_open(&json, "sides", '[');
    for (size_t i = 0; i < bench->side_count; i++) {
        pvf__json_out_open(&json, NULL, '{');
        pvf__json_out_string(&json, "name", bench->sides[i].name);
        pvf__json_out_string(&json, "version", bench->sides[i].version);
        pvf__json_out_string(&json, "prepare_worker", bench->sides[i].workers.prepare);
        pvf__json_out_string(&json, "execute_worker", bench->sides[i].workers.execute);
        pvf__json_out_close(&json, '}');
    }
    pvf__json_out_close(&json, ']');
    pvf__json_out_open(&json, "cases", '[');
    for (size_t i = 0; i < count; i++) {
        put_case(bench, &rows[i], &json);
    }
    pvf__json_out_close(&json, ']');
    pvf__json_out_close(&json, '}');
    (void)pvf__buf_u8(&text, '\n');
    if (text.failed != 0 || fwrite(text.data, 1, text.len, stdout) != text.len) {
        return pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "the figures cannot be written");
    }
    return PVF__CLI_OK;
}

int pvf__bench_report(const struct pvf__bench *bench,
                      const struct pvf__bench_row *rows,
                      size_t count)
{
    int code = PVF__CLI_OK;
    if (bench->options.form == PVF__BENCH_JSON) {
        code = print_json(bench, rows, count);
    } else {
        print_head(bench);
        if (bench->options.form == PVF__BENCH_MARKDOWN) {
            print_markdown(bench, rows, count);
        } else {
            for (size_t i = 0; i < count; i++) {
                (void)printf("%s", i > 0 ? "\n" : "");
                print_rows(bench, &rows[i]);
            }
        }
    }
    if (code == PVF__CLI_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        code = pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "standard output cannot be written");
    }
    return code;
}

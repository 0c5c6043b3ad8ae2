/* SPDX-License-Identifier: Apache-2.0 */
/* What is measured: names, labels and buckets, counting, and the two ways out. */
#include "support/test.h"

#include "cache/cache.h"
#include "metrics/metrics.h"
#include "metrics/metrics_state.h"
#include "metrics/metrics_table.h"
#include "proto/prepare_msg.h"
#include "pvf/outcome.h"
#include "pvf/service.h"
#include "pvf/status.h"
#include "support/prom_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NONE PVF__LABEL_NONE

static pvf_metrics *make(const char *chain)
{
    const struct pvf__metrics_config config = {
        .chain = chain, .version = "0.1.0", .prepare_version = "1.25.1", .execute_version = NULL};
    pvf_metrics *metrics = NULL;
    assert_int_equal(pvf__metrics_new(&config, &metrics, NULL), 0);
    return metrics;
}

static void read_text(const pvf_metrics *metrics, struct prom *ret)
{
    pvf_error err = PVF_ERROR_INIT;
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(pvf_metrics_text(metrics, &text, &len, &err), 0);
    assert_int_equal(strlen(text), len);
    if (!prom_parse(text, len, ret)) {
        fail_msg("%s", ret->why);
    }
    free(text);
}

static double value_of(const struct prom *prom, const char *name, const char *labels)
{
    const struct prom_sample *sample = prom_find(prom, name, labels);
    if (sample == NULL) {
        fail_msg("no %s{%s}", name, labels);
    }
    return sample->value;
}

/* The reference's names, written down a second time: nothing here is taken from the table. */
#define TIMES_PREPARE "0.1 0.5 1 2 3 10 20 30 60 120 240 360 480"
#define TIMES_EXECUTE "0.01 0.025 0.05 0.1 0.25 0.5 1 2 3 4 5 6 8 10 12"
#define TIMES_QUEUED "0.01 0.025 0.05 0.1 0.25 0.5 1 2 3 4 5 6 12 24 48"
#define TIMES_DEFAULT "0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10"
#define MEMORY "8192 16384 32768 65536 131072 262144 524288 1048576 2097152 4194304"
#define SIZES "16384 32768 65536 131072 262144 524288 1048576 2097152 4194304 8388608"
static const struct {
    const char *name;
    const char *type;
    const char *label;  /* "" for none */
    const char *values; /* with bars between */
    const char *buckets;
} reference[] = {
    {"polkadot_pvf_worker_spawning", "counter", "flavor", "prepare|execute", ""},
    {"polkadot_pvf_worker_spawned", "counter", "flavor", "prepare|execute", ""},
    {"polkadot_pvf_worker_retired", "counter", "flavor", "prepare|execute", ""},
    {"polkadot_pvf_prepare_enqueued", "counter", "", "", ""},
    {"polkadot_pvf_prepare_concluded", "counter", "", "", ""},
    {"polkadot_pvf_execute_enqueued", "counter", "", "", ""},
    {"polkadot_pvf_execute_finished", "counter", "", "", ""},
    {"polkadot_pvf_preparation_time", "histogram", "", "", TIMES_PREPARE},
    {"polkadot_pvf_execution_time", "histogram", "", "", TIMES_EXECUTE},
    {"polkadot_pvf_execution_queued_time", "histogram", "", "", TIMES_QUEUED},
    {"polkadot_pvf_preparation_max_rss", "histogram", "", "", MEMORY},
    {"polkadot_pvf_preparation_max_resident", "histogram", "", "", MEMORY},
    {"polkadot_pvf_preparation_max_allocated", "histogram", "", "", MEMORY},
    {"polkadot_pvf_preparation_peak_tracked_allocation", "histogram", "", "", MEMORY},
    {"polkadot_parachain_candidate_validation_pov_size",
     "histogram",
     "compressed",
     "true|false",
     SIZES},
    {"polkadot_parachain_candidate_validation_code_size", "histogram", "", "", SIZES},
    {"polkadot_pvf_exec_kind_selected",
     "counter",
     "priority",
     "dispute|approval|backing_system_paras|backing",
     ""},
    {"polkadot_parachain_validation_requests_total",
     "counter",
     "validity",
     "valid|invalid|validation failure",
     ""},
    {"polkadot_parachain_candidate_validation_validate_from_exhaustive",
     "histogram",
     "",
     "",
     TIMES_DEFAULT},
    {"polkadot_parachain_candidate_validation_validate_candidate_exhaustive",
     "histogram",
     "",
     "",
     TIMES_DEFAULT},
};

/* Joins the values that `label` has in the samples called `name`, each once, in order. */
static void join(const struct prom *prom,
                 const char *name,
                 const char *label,
                 const char *between,
                 char *out,
                 size_t size)
{
    const char *before = "";
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < prom->sample_count; i++) {
        const char *value = prom_label(&prom->samples[i], label);
        if (strcmp(prom->samples[i].name, name) == 0 && value != NULL &&
            strcmp(value, before) != 0) {
            used +=
                (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? between : "", value);
            before = value;
        }
    }
}

static void reference_metrics_are_the_references(void **state)
{
    (void)state;
    pvf_metrics *metrics = make(NULL);
    struct prom prom;
    read_text(metrics, &prom);
    size_t seen = 0;
    for (size_t i = 0; i < prom.family_count; i++) {
        seen += strncmp(prom.families[i].name, "polkadot_", 9) == 0 ? 1 : 0;
    }
    assert_int_equal(seen, COUNT(reference));
    for (size_t i = 0; i < COUNT(reference); i++) {
        size_t family = 0;
        while (family < prom.family_count &&
               strcmp(prom.families[family].name, reference[i].name) != 0) {
            family++;
        }
        if (family == prom.family_count) {
            fail_msg("no %s", reference[i].name);
        }
        assert_string_equal(prom.families[family].type, reference[i].type);
        bool histogram = reference[i].buckets[0] != '\0';
        char name[128];
        char have[512];
        char want[512];
        (void)snprintf(name, sizeof(name), "%s%s", reference[i].name, histogram ? "_count" : "");
        join(&prom, name, reference[i].label, "|", have, sizeof(have));
        assert_string_equal(have, reference[i].values);
        for (size_t s = 0; s < prom.sample_count; s++) {
            if (strcmp(prom.samples[s].name, name) == 0) {
                assert_int_equal(prom.samples[s].label_count, reference[i].label[0] != '\0');
            }
        }
        if (histogram) {
            (void)snprintf(name, sizeof(name), "%s_bucket", reference[i].name);
            join(&prom, name, "le", " ", have, sizeof(have));
            (void)snprintf(want,
                           sizeof(want),
                           "%s +Inf%s%s%s",
                           reference[i].buckets,
                           reference[i].label[0] != '\0' ? " " : "",
                           reference[i].label[0] != '\0' ? reference[i].buckets : "",
                           reference[i].label[0] != '\0' ? " +Inf" : "");
            assert_string_equal(have, want);
        }
    }
    prom_done(&prom);
    pvf__metrics_free(metrics);
}

/* What promtool asks of new metrics: _total for counters only, base units, no type in the name. */
static void new_metrics_are_named_by_the_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < PVF__METRICS; i++) {
        const struct pvf__metric_row *row = &pvf__metric_rows[i];
        assert_non_null(row->name);
        assert_true(strlen(row->help) > 5 && strchr(row->help, '\n') == NULL &&
                    strchr(row->help, '\\') == NULL);
        if (strncmp(row->name, "polkadot_", 9) == 0) {
            continue;
        }
        assert_memory_equal(row->name, "pvf_", 4);
        const char *last = strrchr(row->name, '_') + 1;
        bool total = strcmp(last, "total") == 0;
        assert_int_equal(total, row->type == PVF_METRIC_COUNTER);
        assert_int_equal(strcmp(last, "seconds") == 0, row->unit == PVF__UNIT_TIME);
        for (size_t b = 1; b < row->bucket_count; b++) {
            assert_true(row->buckets[b - 1] < row->buckets[b]);
        }
    }
}

static void updates_come_out_where_they_belong(void **state)
{
    (void)state;
    pvf_metrics *metrics = make(NULL);
    pvf__metrics_add(metrics, PVF__METRIC_WORKER_SPAWNED, PVF__FLAVOR_EXECUTE, NONE, 3);
    pvf__metrics_add(metrics, PVF__METRIC_WORKER_SPAWNED, PVF__FLAVOR_EXECUTE, NONE, 1);
    pvf__metrics_total(metrics, PVF__METRIC_PREPARE_ENQUEUED, NONE, NONE, 9);
    pvf__metrics_total(metrics, PVF__METRIC_PREPARE_ENQUEUED, NONE, NONE, 7);
    pvf__metrics_set(metrics, PVF__METRIC_WORKERS, PVF__FLAVOR_EXECUTE, PVF__WORKER_BUSY, 4);
    pvf__metrics_set(metrics, PVF__METRIC_WORKERS, PVF__FLAVOR_PREPARE, PVF__WORKER_IDLE, 2);
    pvf__metrics_set(metrics, PVF__METRIC_WORKERS, PVF__FLAVOR_PREPARE, PVF__WORKER_IDLE, 1);
    pvf__metrics_add(metrics,
                     PVF__METRIC_EXECUTION_VERDICTS,
                     PVF_EXEC_BACKING,
                     pvf__label_verdict(PVF_VERDICT_INVALID),
                     5);
    pvf__metrics_set_only(metrics, PVF__METRIC_SELF_TEST_STATE, PVF__SELF_TEST_FAILED);
    struct prom prom;
    read_text(metrics, &prom);
    assert_true(value_of(&prom, "polkadot_pvf_worker_spawned", "flavor=execute") == 4);
    assert_true(value_of(&prom, "polkadot_pvf_worker_spawned", "flavor=prepare") == 0);
    assert_true(value_of(&prom, "polkadot_pvf_prepare_enqueued", "") == 9);
    assert_true(value_of(&prom, "pvf_workers", "flavor=execute,state=busy") == 4);
    assert_true(value_of(&prom, "pvf_workers", "flavor=prepare,state=idle") == 1);
    assert_true(value_of(&prom, "pvf_execution_verdicts_total", "kind=backing,verdict=invalid") ==
                5);
    assert_true(value_of(&prom, "pvf_self_test_state", "state=not_run") == 0);
    assert_true(value_of(&prom, "pvf_self_test_state", "state=failed") == 1);
    assert_true(value_of(&prom,
                         "pvf_build_info",
                         "version=0.1.0,prepare_worker=1.25.1,execute_worker=") == 1);
    double sum = 0;
    for (size_t i = 0; i < prom.sample_count; i++) {
        sum += prom.samples[i].value;
    }
    assert_true(sum == 4 + 9 + 4 + 1 + 5 + 1 + 1); /* and nothing anywhere else */
    prom_done(&prom);
    pvf__metrics_free(metrics);
}

static void histograms_count_up_to_and_with_the_bound(void **state)
{
    (void)state;
    const uint64_t ms = 1000000;
    pvf_metrics *metrics = make(NULL);
    const uint64_t times[] = {0, 10 * ms, 10 * ms + 1, 12000 * ms, 12000 * ms + 1, 1};
    for (size_t i = 0; i < COUNT(times); i++) {
        pvf__metrics_observe(metrics, PVF__METRIC_EXECUTION_TIME, NONE, NONE, times[i]);
    }
    assert_int_equal(pvf__metrics_get(metrics, PVF__METRIC_EXECUTION_TIME, NONE, NONE), 6);
    pvf__metrics_observe(metrics, PVF__METRIC_POV_SIZE, PVF__COMPRESSED_FALSE, NONE, 16384);
    pvf__metrics_observe(metrics, PVF__METRIC_POV_SIZE, PVF__COMPRESSED_FALSE, NONE, 16385);
    struct prom prom;
    read_text(metrics, &prom);
    assert_true(value_of(&prom, "polkadot_pvf_execution_time_bucket", "le=0.01") == 3);
    assert_true(value_of(&prom, "polkadot_pvf_execution_time_bucket", "le=0.025") == 4);
    assert_true(value_of(&prom, "polkadot_pvf_execution_time_bucket", "le=10") == 4);
    assert_true(value_of(&prom, "polkadot_pvf_execution_time_bucket", "le=12") == 5);
    assert_true(value_of(&prom, "polkadot_pvf_execution_time_bucket", "le=+Inf") == 6);
    assert_true(value_of(&prom, "polkadot_pvf_execution_time_count", "") == 6);
    assert_string_equal(prom_find(&prom, "polkadot_pvf_execution_time_sum", "")->digits,
                        "24.020000003");
    const char *pov = "polkadot_parachain_candidate_validation_pov_size_bucket";
    assert_true(value_of(&prom, pov, "compressed=false,le=16384") == 1);
    assert_true(value_of(&prom, pov, "compressed=false,le=32768") == 2);
    assert_true(value_of(&prom, pov, "compressed=true,le=+Inf") == 0);
    prom_done(&prom);
    pvf__metrics_free(metrics);
}

static void totals_stop_at_their_end(void **state)
{
    (void)state;
    pvf_metrics *metrics = make(NULL);
    pvf__metrics_add(metrics, PVF__METRIC_REQUESTS_STORED, NONE, NONE, UINT64_MAX - 1);
    pvf__metrics_add(metrics, PVF__METRIC_REQUESTS_STORED, NONE, NONE, 5);
    assert_true(pvf__metrics_get(metrics, PVF__METRIC_REQUESTS_STORED, NONE, NONE) == UINT64_MAX);
    struct prom prom;
    read_text(metrics, &prom);
    assert_string_equal(prom_find(&prom, "pvf_requests_stored_total", "")->digits,
                        "18446744073709551615");
    prom_done(&prom);
    pvf__metrics_free(metrics);
}

static void without_metrics_nothing_happens(void **state)
{
    (void)state;
    pvf__metrics_add(NULL, PVF__METRIC_REQUESTS_STORED, NONE, NONE, 1);
    pvf__metrics_total(NULL, PVF__METRIC_REQUESTS_STORED, NONE, NONE, 1);
    pvf__metrics_set(NULL, PVF__METRIC_UP, NONE, NONE, 1);
    pvf__metrics_set_only(NULL, PVF__METRIC_SELF_TEST_STATE, PVF__SELF_TEST_PASSED);
    pvf__metrics_observe(NULL, PVF__METRIC_EXECUTION_TIME, NONE, NONE, 1);
    assert_int_equal(pvf__metrics_get(NULL, PVF__METRIC_UP, NONE, NONE), 0);
    pvf__metrics_free(NULL);
    char *text = NULL;
    size_t len = 0;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf_metrics_text(NULL, &text, &len, &err), PVF_ERR_INVALID_ARG);
    assert_null(text);
}

static void numbers_are_exact(void **state)
{
    (void)state;
    const struct {
        uint64_t value;
        enum pvf__metric_unit unit;
        const char *text;
    } rows[] = {
        {0, PVF__UNIT_PLAIN, "0"},
        {10, PVF__UNIT_PLAIN, "10"},
        {UINT64_MAX, PVF__UNIT_PLAIN, "18446744073709551615"},
        {0, PVF__UNIT_TIME, "0"},
        {1, PVF__UNIT_TIME, "0.000000001"},
        {2500000000, PVF__UNIT_TIME, "2.5"},
        {10000000000, PVF__UNIT_TIME, "10"},
        {UINT64_MAX, PVF__UNIT_TIME, "18446744073.709551615"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[PVF__METRICS_NUMBER];
        pvf__metrics_number_text(rows[i].value, rows[i].unit, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void labels_of_the_user_are_escaped_and_cut(void **state)
{
    (void)state;
    pvf_metrics *metrics = make("a\"b\\c\nd");
    struct prom prom;
    read_text(metrics, &prom);
    for (size_t i = 0; i < prom.sample_count; i++) {
        assert_string_equal(prom_label(&prom.samples[i], "chain"), "a\"b\\c\nd");
    }
    prom_done(&prom);
    pvf__metrics_free(metrics);

    char longer[100];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    metrics = make(longer);
    read_text(metrics, &prom);
    assert_int_equal(strlen(prom_label(&prom.samples[0], "chain")), 63);
    prom_done(&prom);
    pvf__metrics_free(metrics);
}

struct seen {
    const struct prom *prom;
    size_t count;
    size_t most;
};

static bool compare(void *context, const pvf_metric_sample *sample)
{
    struct seen *seen = context;
    const struct prom_sample *other = &seen->prom->samples[seen->count];
    const struct prom_family *family = &seen->prom->families[other->family];
    assert_string_equal(sample->name, other->name);
    assert_string_equal(sample->metric, family->name);
    assert_string_equal(sample->help, family->help);
    assert_string_equal(sample->type == PVF_METRIC_COUNTER ? "counter"
                        : sample->type == PVF_METRIC_GAUGE ? "gauge"
                                                           : "histogram",
                        family->type);
    assert_int_equal(sample->label_count, other->label_count);
    for (size_t i = 0; i < sample->label_count; i++) {
        assert_string_equal(sample->labels[i].name, other->labels[i].name);
        assert_string_equal(sample->labels[i].value, other->labels[i].value);
    }
    assert_true(sample->value == other->value);
    return ++seen->count < seen->most;
}

static void both_ways_out_say_the_same(void **state)
{
    (void)state;
    pvf_metrics *metrics = make("polkadot");
    for (uint64_t i = 0; i < 20; i++) {
        pvf__metrics_observe(
            metrics, PVF__METRIC_EXECUTION_DURATION, (unsigned)i % 5, NONE, i * 1500000000);
    }
    struct prom prom;
    read_text(metrics, &prom);
    struct seen seen = {.prom = &prom, .count = 0, .most = SIZE_MAX};
    pvf_metrics_each(metrics, compare, &seen);
    assert_int_equal(seen.count, prom.sample_count);
    for (size_t most = 1; most < prom.sample_count; most += 97) {
        seen = (struct seen){.prom = &prom, .count = 0, .most = most};
        pvf_metrics_each(metrics, compare, &seen);
        assert_int_equal(seen.count, most);
    }
    prom_done(&prom);
    pvf__metrics_free(metrics);
}

static void a_text_that_does_not_fit_is_no_text(void **state)
{
    (void)state;
    pvf_metrics *metrics = make(NULL);
    const size_t sizes[] = {0, 1, 1000, 20000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct pvf__buf buf = PVF__BUF_INIT(sizes[i]);
        pvf_error err = PVF_ERROR_INIT;
        assert_int_equal(pvf__metrics_write(metrics, &buf, &err), PVF_ERR_LIMIT);
        assert_int_equal(err.code, PVF_ERR_LIMIT);
        pvf__buf_done(&buf);
    }
    pvf__metrics_free(metrics);
}

/* Words as labels are written: lower case, with underscores. */
static void as_label(const char *words, char *out, size_t size)
{
    size_t used = 0;
    for (const char *at = words; *at != '\0' && used + 2 < size; at++) {
        char c = *at;
        if (c >= 'A' && c <= 'Z') {
            c = (char)(c - 'A' + 'a');
        }
        out[used++] = c == ' ' || c == '-' ? '_' : c;
    }
    out[used] = '\0';
}

static void every_reason_has_its_label(void **state)
{
    (void)state;
    const unsigned other = (unsigned)pvf__label_reasons.count - 1;
    assert_string_equal(pvf__label_reasons.values[other], "other");
    unsigned known = 0;
    for (int32_t reason = -2; reason < 300; reason++) {
        char want[64];
        as_label(pvf_reason_name(reason), want, sizeof(want));
        unsigned place = pvf__label_reason(reason);
        assert_true(place < pvf__label_reasons.count);
        if (strcmp(want, "unknown") != 0) {
            known++;
            assert_string_equal(pvf__label_reasons.values[place], want);
        } else {
            assert_int_equal(place, other);
        }
    }
    assert_true(known >= 21);
    assert_int_equal(pvf__label_reason(INT32_MIN), other);
    for (int32_t verdict = 0; verdict < 5; verdict++) {
        char want[64];
        as_label(pvf_verdict_name(verdict), want, sizeof(want));
        assert_string_equal(pvf__label_verdicts.values[pvf__label_verdict(verdict)], want);
    }
    assert_int_equal(pvf__label_verdict(-1), PVF_VERDICT_INTERNAL);
    assert_int_equal(pvf__label_verdict(5), PVF_VERDICT_INTERNAL);
}

/* "CreateTmpFile" as "create_tmp_file". */
static void from_camel(const char *words, char *out, size_t size)
{
    size_t used = 0;
    for (const char *at = words; *at != '\0' && used + 2 < size; at++) {
        bool upper = *at >= 'A' && *at <= 'Z';
        if (upper && used > 0) {
            out[used++] = '_';
        }
        out[used++] = upper ? (char)(*at - 'A' + 'a') : *at;
    }
    out[used] = '\0';
}

static void every_other_number_has_its_label(void **state)
{
    (void)state;
    assert_int_equal(pvf__label_prepare_results.count, PVF__PREPARE_ERROR_COUNT + 2);
    assert_string_equal(
        pvf__label_prepare_results.values[pvf__label_prepare_result(PVF__LABEL_PREPARED)], "ok");
    for (int32_t error = 0; error < (int32_t)PVF__PREPARE_ERROR_COUNT; error++) {
        char want[64];
        from_camel(
            pvf__prepare_error_name((enum pvf__prepare_error_kind)error), want, sizeof(want));
        assert_string_equal(pvf__label_prepare_results.values[pvf__label_prepare_result(error)],
                            want);
    }
    const int32_t strange[] = {-2, PVF__PREPARE_ERROR_COUNT, 255, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT(strange); i++) {
        assert_string_equal(
            pvf__label_prepare_results.values[pvf__label_prepare_result(strange[i])], "other");
    }
    for (int32_t failure = 0; failure < 40; failure++) {
        char want[64];
        as_label(pvf_spawn_failure_name(failure), want, sizeof(want));
        bool none = strcmp(want, "none") == 0 || strcmp(want, "unknown") == 0;
        assert_string_equal(pvf__label_spawn_failures.values[pvf__label_spawn_failure(failure)],
                            none ? "other" : want);
    }
    for (int32_t result = 0; result < PVF__CACHE_RESULTS + 3; result++) {
        char want[64];
        as_label(pvf__cache_result_text((enum pvf__cache_result)result), want, sizeof(want));
        assert_string_equal(pvf__label_cache_results.values[pvf__label_cache_result(result)],
                            strcmp(want, "unknown") == 0 ? "other" : want);
    }
}

/* The reader of these tests refuses what is not the format. */
static void the_reader_is_strict(void **state)
{
    (void)state;
#define HEAD "# HELP a Help.\n# TYPE a counter\n"
#define HIST "# HELP h Help.\n# TYPE h histogram\n"
    const char *good[] = {
        HEAD "a 1\n",
        HEAD "a{x=\"1\"} 1.5\na{x=\"2\"} 0\n",
        HIST "h_bucket{le=\"1\"} 0\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
    };
    const char *bad[] = {
        HEAD "a 1",
        HEAD "a\n",
        HEAD "b 1\n",
        HEAD "a 1 \n",
        HEAD "a 1e5\n",
        HEAD "a -1\n",
        HEAD "a .5\n",
        HEAD "a 5.\n",
        HEAD "a{} 1\n",
        HEAD "a{x=\"1\",} 1\n",
        HEAD "a{x=\"1\\t\"} 1\n",
        HEAD "a{x=\"1\" } 1\n",
        HEAD "a{x=1} 1\n",
        HEAD "a{1x=\"1\"} 1\n",
        HEAD "a{x=\"1\",x=\"2\"} 1\n",
        HEAD "a{x=\"1\"} 1\na{x=\"1\"} 2\n",
        HEAD "a{le=\"1\"} 1\n",
        HEAD,
        HEAD "a 1\n" HEAD "a 1\n",
        "a 1\n",
        "# HELP a Help.\na 1\n",
        "# HELP a Help.\n# TYPE a untyped\na 1\n",
        HEAD "a 1\n\n",
        HIST "h_bucket{le=\"1\"} 0\nh_sum 3\nh_count 0\n",
        HIST "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 3\nh_count 1\n",
        HIST "h_bucket{le=\"2\"} 0\nh_bucket{le=\"1\"} 0\nh_bucket{le=\"+Inf\"} 1\nh_sum 3\n"
             "h_count 1\n",
        HIST "h_bucket{le=\"+Inf\"} 1\nh_sum 3\nh_count 2\n",
        HIST "h_bucket{le=\"+Inf\"} 1\nh_count 1\n",
        HIST "h_bucket{le=\"+Inf\"} 1\nh_sum{x=\"1\"} 3\nh_count 1\n",
        HIST "h 1\n",
    };
    struct prom prom;
    for (size_t i = 0; i < COUNT(good); i++) {
        if (!prom_parse(good[i], strlen(good[i]), &prom)) {
            fail_msg("%s", prom.why);
        }
        prom_done(&prom);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (prom_parse(bad[i], strlen(bad[i]), &prom)) {
            fail_msg("taken: %s", bad[i]);
        }
        prom_done(&prom);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_metrics_are_the_references),
        cmocka_unit_test(new_metrics_are_named_by_the_rules),
        cmocka_unit_test(updates_come_out_where_they_belong),
        cmocka_unit_test(histograms_count_up_to_and_with_the_bound),
        cmocka_unit_test(totals_stop_at_their_end),
        cmocka_unit_test(without_metrics_nothing_happens),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(labels_of_the_user_are_escaped_and_cut),
        cmocka_unit_test(both_ways_out_say_the_same),
        cmocka_unit_test(a_text_that_does_not_fit_is_no_text),
        cmocka_unit_test(every_reason_has_its_label),
        cmocka_unit_test(every_other_number_has_its_label),
        cmocka_unit_test(the_reader_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

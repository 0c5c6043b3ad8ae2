/* SPDX-License-Identifier: Apache-2.0 */
/* The log: what a line looks like, which job it is about, and how often it may be said. */
#include "support/test.h"

#include "base/log.h"
#include "base/log_limit.h"
#include "base/log_text.h"
#include "base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND PVF__LOG_LIMIT_INTERVAL_NS

static void lines_stay_lines(void **state)
{
    (void)state;
    const struct {
        const char *text;
        const char *line;
    } rows[] = {
        {"", ""},
        {"plain text, nothing to do", "plain text, nothing to do"},
        {"a\nb\rc\td", "a\\nb\\rc\\td"},
        {"back\\slash", "back\\\\slash"},
        {"\x01\x1b[31m\x7f", "\\x01\\x1B[31m\\x7F"},
        {"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
        {"\xC2\x9B", "\\xC2\\x9B"},          /* a terminal's own start of a command */
        {"\xE2\x80\xAE", "\\xE2\\x80\\xAE"}, /* turns the direction */
        {"\xE2\x80\xA8", "\\xE2\\x80\\xA8"}, /* separates lines */
        {"\xE2\x81\xA6", "\\xE2\\x81\\xA6"},
        {"\xFF\xFE.", "\\xFF\\xFE."},
        {"\xC0\x80.", "\\xC0\\x80."},          /* over-long */
        {"\xED\xA0\x80.", "\\xED\\xA0\\x80."}, /* surrogate */
        {"\xE2.", "\\xE2."},
        {"cut \xE2\x82", "cut "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char line[200];
        pvf__log_text_escape(rows[i].text, line, sizeof(line));
        assert_string_equal(line, rows[i].line);
    }
}

static void every_byte_ends_as_text(void **state)
{
    (void)state;
    for (unsigned first = 1; first < 256; first++) {
        for (unsigned second = 1; second < 256; second++) {
            const char text[] = {(char)first, (char)second, 'x', '\0'};
            char line[32];
            pvf__log_text_escape(text, line, sizeof(line));
            assert_true(pvf__text_is_utf8((const uint8_t *)line, strlen(line)));
            assert_null(strpbrk(line, "\n\r\t\x1b\x7f"));
            assert_int_equal(line[strlen(line) - 1], 'x');
        }
    }
}

static void a_cut_divides_no_character(void **state)
{
    (void)state;
    const char *text = "ab\xE2\x82\xAC\n\x01";
    const char *lines[] = {
        "", "a", "ab", "ab", "ab", "ab\xE2\x82\xAC", "ab\xE2\x82\xAC", "ab\xE2\x82\xAC\\n"};
    for (size_t size = 1; size <= COUNT(lines); size++) {
        char line[16];
        memset(line, '#', sizeof(line));
        pvf__log_text_escape(text, line, size);
        assert_string_equal(line, lines[size - 1]);
        assert_int_equal(line[size], '#');
    }
}

static void a_site_has_its_burst_and_its_rate(void **state)
{
    (void)state;
    static struct pvf__log_limit limit;
    memset(&limit, 0, sizeof(limit));
    const char site = 0;
    const char other = 0;
    uint64_t now = 77 * SECOND;
    uint64_t left_out = 99;
    for (unsigned i = 0; i < PVF__LOG_LIMIT_BURST; i++) {
        assert_true(pvf__log_limit_take(&limit, &site, now, &left_out));
        assert_int_equal(left_out, 0);
    }
    for (unsigned i = 0; i < 1000; i++) {
        assert_false(pvf__log_limit_take(&limit, &site, now + i, &left_out));
    }
    assert_true(pvf__log_limit_take(&limit, &other, now, &left_out));
    assert_int_equal(left_out, 0);
    assert_false(pvf__log_limit_take(&limit, &site, now + SECOND - 1, &left_out));
    assert_true(pvf__log_limit_take(&limit, &site, now + SECOND, &left_out));
    assert_int_equal(left_out, 1001);
    assert_false(pvf__log_limit_take(&limit, &site, now + SECOND, &left_out));
    /* What is left of an interval is not lost: 2.5 seconds later are two more, and one soon. */
    assert_true(pvf__log_limit_take(&limit, &site, now + SECOND * 7 / 2, &left_out));
    assert_int_equal(left_out, 1);
    assert_true(pvf__log_limit_take(&limit, &site, now + SECOND * 7 / 2, &left_out));
    assert_int_equal(left_out, 0);
    assert_false(pvf__log_limit_take(&limit, &site, now + SECOND * 7 / 2, &left_out));
    assert_true(pvf__log_limit_take(&limit, &site, now + SECOND * 4, &left_out));
    /* A long pause fills it to the brim, not further. */
    for (unsigned i = 0; i < PVF__LOG_LIMIT_BURST; i++) {
        assert_true(pvf__log_limit_take(&limit, &site, now + SECOND * 100000, &left_out));
    }
    assert_false(pvf__log_limit_take(&limit, &site, now + SECOND * 100000, &left_out));
    /* Time that goes back gives nothing and takes nothing. */
    assert_false(pvf__log_limit_take(&limit, &site, now, &left_out));
    assert_true(pvf__log_limit_take(&limit, &site, now + SECOND * 100001, &left_out));
    assert_int_equal(left_out, 2);
}

static void the_quietest_site_makes_room(void **state)
{
    (void)state;
    static struct pvf__log_limit limit;
    memset(&limit, 0, sizeof(limit));
    static const char sites[PVF__LOG_LIMIT_SITES + 1];
    uint64_t left_out = 0;
    /* All have used up their burst; the third was longest quiet. */
    for (unsigned i = 0; i < PVF__LOG_LIMIT_SITES; i++) {
        uint64_t now = i == 2 ? SECOND : SECOND + 1 + i;
        for (unsigned n = 0; n < PVF__LOG_LIMIT_BURST; n++) {
            assert_true(pvf__log_limit_take(&limit, &sites[i], now, &left_out));
        }
    }
    uint64_t now = SECOND + 2 + PVF__LOG_LIMIT_SITES;
    assert_true(pvf__log_limit_take(&limit, &sites[PVF__LOG_LIMIT_SITES], now, &left_out));
    for (unsigned i = 0; i < PVF__LOG_LIMIT_SITES; i++) {
        if (i != 2) {
            assert_false(pvf__log_limit_take(&limit, &sites[i], now, &left_out));
        }
    }
    assert_true(pvf__log_limit_take(&limit, &sites[2], now, &left_out));
    size_t told = 0;
    while (pvf__log_limit_tell(&limit, &left_out) != NULL) {
        assert_int_equal(left_out, 1);
        told++;
    }
    assert_true(told >= PVF__LOG_LIMIT_SITES - 2);
}

/* ---- The whole log ---- */

struct book {
    size_t count;
    size_t notices; /* about lines that were left out */
    uint64_t left_out;
    pvf_log_record last; /* texts in the next two */
    char component[32];
    char text[1100];
};

static void write_down(void *context, const pvf_log_record *record)
{
    struct book *book = context;
    unsigned long long left_out;
    book->count++;
    book->last = *record;
    (void)snprintf(book->component, sizeof(book->component), "%s", record->component);
    (void)snprintf(book->text, sizeof(book->text), "%s", record->text);
    if (sscanf(record->text, "%llu similar lines left out", &left_out) == 1) {
        book->notices++;
        book->left_out += left_out;
    }
}

static void inner_job(void)
{
    PVF__LOG_JOB(17);
    pvf__log(PVF__LOG_WARN, "inner");
}

static void records_say_who_and_about_what(void **state)
{
    (void)state;
    struct book book = {0};
    pvf__log(PVF__LOG_ERROR, "to nobody");
    pvf_log_setup(write_down, &book, PVF_LOG_INFO);
    pvf__log(PVF__LOG_INFO, "file %s, %d bytes", "a\nb", 7);
    assert_int_equal(book.count, 1);
    assert_int_equal(book.last.level, PVF_LOG_INFO);
    assert_true(book.last.job == 0);
    assert_string_equal(book.component, "pvf");
    assert_string_equal(book.text, "file a\\nb, 7 bytes");
    pvf__log(PVF__LOG_DEBUG, "too much");
    assert_int_equal(book.count, 1);
    {
        PVF__LOG_JOB(UINT64_MAX);
        pvf__log(PVF__LOG_WARN, "outer");
        assert_true(book.last.job == UINT64_MAX);
        inner_job();
        assert_true(book.last.job == 17);
        pvf__log(PVF__LOG_WARN, "outer again");
        assert_true(book.last.job == UINT64_MAX);
    }
    pvf__log(PVF__LOG_WARN, "none");
    assert_true(book.last.job == 0);
    pvf__log_job_given(18, "execute", 4711, 3);
    assert_int_equal(book.count, 5);
    pvf_log_setup(write_down, &book, 99);
    pvf__log_job_given(18, "execute", 4711, 3);
    assert_int_equal(book.last.level, PVF_LOG_DEBUG);
    assert_true(book.last.job == 18);
    assert_string_equal(book.component, "host");
    assert_string_equal(book.text, "job 18 is request 3 of execute worker 4711");
    pvf_log_setup(NULL, NULL, PVF_LOG_TRACE);
    assert_false(pvf__log_enabled(PVF__LOG_ERROR));
    assert_string_equal(pvf_log_level_name(PVF_LOG_WARN), "warn");
    assert_string_equal(pvf_log_level_name(6), "unknown");
    assert_string_equal(pvf_log_level_name(-1), "unknown");
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    struct book book = {0};
    char text[3000];
    memset(text, '\x01', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    pvf_log_setup(write_down, &book, PVF_LOG_INFO);
    pvf__log(PVF__LOG_INFO, "%s", text);
    assert_int_equal(strlen(book.text), 1020);
    memset(text, 'x', sizeof(text) - 1);
    pvf__log(PVF__LOG_INFO, "%s", text);
    assert_int_equal(strlen(book.text), 1023);
    pvf_log_setup(NULL, NULL, PVF_LOG_OFF);
}

static void say(enum pvf__log_level level)
{
    pvf__log(level, "again");
}

/* However slowly this runs: what was not said is counted, and told. */
static void floods_are_cut_down_and_counted(void **state)
{
    (void)state;
    struct book book = {0};
    pvf_log_setup(write_down, &book, PVF_LOG_DEBUG);
    uint64_t before = pvf__log_left_out();
    const size_t rounds = 100000;
    for (size_t i = 0; i < rounds; i++) {
        say(PVF__LOG_ERROR);
    }
    uint64_t left_out = pvf__log_left_out() - before;
    assert_true(left_out > 0);
    assert_true(book.count - book.notices + left_out == rounds);
    pvf__log(PVF__LOG_ERROR, "another line");
    assert_string_equal(book.text, "another line");
    pvf_log_flush();
    assert_true(book.left_out == left_out);
    size_t count = book.count;
    pvf_log_flush();
    assert_int_equal(book.count, count);
    for (size_t i = 0; i < 1000; i++) {
        say(PVF__LOG_DEBUG);
    }
    assert_int_equal(book.count, count + 1000);
    pvf_log_setup(NULL, NULL, PVF_LOG_OFF);
    pvf_log_flush();
}

static size_t plain_lines;

static void count_line(void *context, enum pvf__log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
    plain_lines++;
}

static void programs_of_ours_get_every_line(void **state)
{
    (void)state;
    pvf__log_setup(count_line, NULL, PVF__LOG_ERROR);
    for (size_t i = 0; i < 500; i++) {
        say(PVF__LOG_ERROR);
    }
    pvf_log_flush();
    assert_int_equal(plain_lines, 500);
    pvf__log_setup(NULL, NULL, PVF__LOG_OFF);
}

static void *other_thread(void *result)
{
    *(uint64_t *)result = pvf__log_job();
    return NULL;
}

static void a_job_belongs_to_its_thread(void **state)
{
    (void)state;
    PVF__LOG_JOB(5);
    uint64_t seen = 1;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, other_thread, &seen), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(seen == 0);
    assert_true(pvf__log_job() == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_stay_lines),
        cmocka_unit_test(every_byte_ends_as_text),
        cmocka_unit_test(a_cut_divides_no_character),
        cmocka_unit_test(a_site_has_its_burst_and_its_rate),
        cmocka_unit_test(the_quietest_site_makes_room),
        cmocka_unit_test(records_say_who_and_about_what),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(floods_are_cut_down_and_counted),
        cmocka_unit_test(programs_of_ours_get_every_line),
        cmocka_unit_test(a_job_belongs_to_its_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

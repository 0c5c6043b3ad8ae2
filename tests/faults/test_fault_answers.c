/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every answer that a worker can give, damaged: each truncation, each length, bit flips, noise.
 * The host finds what the bytes say, if they say anything, and blames nobody when they do not.
 */
#include "support/test.h"

#include "base/fd.h"
#include "faults/bench.h"
#include "proto/execute_msg.h"
#include "proto/frame.h"
#include "proto/prepare_msg.h"
#include "support/hex.h"
#include "support/proto_samples.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A worker that hangs up after its answer keeps nobody waiting, so this can be generous. */
#define LIMIT_MS 20000u
#define LIMIT_S (LIMIT_MS / 1000u)

/* Of the bits behind the first bytes one in so many is flipped. */
#define SAMPLE 5u
#define ALWAYS 11u /* length, and the bytes that say what it is */

static const char *fake;
static uint64_t seed = 1;

static uint32_t next_random(void)
{
    /* Knuth's MMIX generator; the upper bits are the good ones. */
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}

/* Where the bytes go, and who reads the answer. */
struct target {
    pvf_host *host;
    char program[PATH_MAX];
    size_t asked;
};

/* The first frame of what was sent, read by hand; false when there is none. */
static bool first_frame(const uint8_t *data, size_t len, const uint8_t **ret_body, size_t *ret_len)
{
    uint64_t announced = 0;
    if (len < PVF__FRAME_HEADER) {
        return false;
    }
    for (unsigned i = 0; i < PVF__FRAME_HEADER; i++) {
        announced |= (uint64_t)data[i] << (8 * i);
    }
    *ret_body = data + PVF__FRAME_HEADER;
    *ret_len = (size_t)announced;
    return announced <= len - PVF__FRAME_HEADER;
}

static void show(const char *what, const uint8_t *data, size_t len, const char *text)
{
    print_error("%s: %s; sent:", what, text);
    for (size_t i = 0; i < len; i++) {
        print_error(" %02x", data[i]);
    }
    print_error("\n");
    fail();
}

/* The only bytes that may ever make a candidate invalid, by protocol. */
static bool may_be_invalid(const uint8_t *body, size_t len)
{
    if (len < 2) {
        return false;
    }
    bool is_timeout = body[0] == 1 && body[1] == 0;
    bool is_refusal = body[0] == 0 && (body[1] == 2 || body[1] == 3);
    return is_timeout || is_refusal;
}

static void check_execution(const uint8_t *data, size_t len, const pvf_outcome *outcome)
{
    const uint8_t *body = NULL;
    size_t body_len = 0;
    struct pvf__execute_answer answer;
    int32_t verdict = outcome->verdict;
    if (!first_frame(data, len, &body, &body_len) ||
        pvf__execute_answer_decode(body, body_len, &answer, NULL) != 0) {
        if (verdict != PVF_VERDICT_POSSIBLY_INVALID || outcome->reason != PVF_REASON_WORKER_DEATH) {
            show("no answer", data, len, outcome->text);
        }
        return;
    }
    bool is_late = answer.ok && (answer.duration.secs > LIMIT_S ||
                                 (answer.duration.secs == LIMIT_S && answer.duration.nanos > 0));
    if (is_late) {
        if (verdict != PVF_VERDICT_INVALID || outcome->reason != PVF_REASON_HARD_TIMEOUT) {
            show("a late answer", data, len, outcome->text);
        }
        return;
    }
    if ((verdict == PVF_VERDICT_INVALID) != may_be_invalid(body, body_len)) {
        show("blame", data, len, outcome->text);
    }
    if ((verdict == PVF_VERDICT_VALID) != (body[0] == 0 && body[1] == 0)) {
        show("praise", data, len, outcome->text);
    }
    if ((verdict == PVF_VERDICT_INTERNAL) != (body[0] == 1 && body[1] == 3)) {
        show("an excuse", data, len, outcome->text);
    }
}

static void check_preparation(const uint8_t *data, size_t len, const pvf_prepare_outcome *outcome)
{
    const uint8_t *body = NULL;
    size_t body_len = 0;
    struct pvf__prepare_answer answer;
    if (!first_frame(data, len, &body, &body_len) ||
        pvf__prepare_answer_decode(body, body_len, &answer, NULL) != 0) {
        if (outcome->ok || outcome->deterministic || strcmp(outcome->name, "IoErr") != 0) {
            show("no answer", data, len, outcome->text);
        }
        return;
    }
    const char *name = pvf__prepare_error_name(answer.error.kind);
    if (answer.ok) {
        const struct pvf__duration *used = &answer.stats.cpu_time;
        bool is_late = used->secs > LIMIT_S || (used->secs == LIMIT_S && used->nanos > 0);
        name = is_late ? "TimedOut" : "";
    }
    /* 0 to 3, 8 and 12 but for 2 are the code's own fault. */
    bool is_code = !answer.ok && memchr("\0\1\3\10\14", body[1], 5) != NULL;
    if (outcome->deterministic != is_code || strcmp(outcome->name, name) != 0 ||
        outcome->ok != (name[0] == '\0')) {
        show(name, data, len, outcome->text);
    }
}

static void ask(struct target *target, enum proto_kind kind, const uint8_t *data, size_t len)
{
    static const uint8_t code[] = {0, 'a', 's', 'm'};
    bench_beside(target->program, "answer", data, len);
    target->asked++;
    if (kind == PROTO_EXECUTE_ANSWER) {
        pvf_outcome outcome = bench_execute(target->host, &bench.for_the_fake, 0, LIMIT_MS);
        check_execution(data, len, &outcome);
        pvf_outcome_done(&outcome);
        return;
    }
    const struct pvf__buf request = {.data = (uint8_t *)(uintptr_t)code, .len = sizeof(code)};
    pvf_prepare_outcome outcome = bench_prepare(target->host, &request, LIMIT_MS);
    check_preparation(data, len, &outcome);
    pvf_prepare_outcome_done(&outcome);
}

static void ask_damaged(struct target *target, const struct proto_sample *sample)
{
    struct hex_bytes frame = hex_read(sample->frame);
    ask(target, sample->kind, frame.data, frame.len);
    for (size_t len = 0; len < frame.len; len++) {
        ask(target, sample->kind, frame.data, len);
        if (len >= PVF__FRAME_HEADER) {
            /* Cut, and honest about it. */
            struct hex_bytes shorter = frame;
            shorter.data[0] = (uint8_t)(len - PVF__FRAME_HEADER);
            ask(target, sample->kind, shorter.data, len);
        }
    }
    for (size_t bit = 0; bit < 8 * frame.len; bit++) {
        if (bit < (size_t)8 * ALWAYS || next_random() % SAMPLE == 0) {
            struct hex_bytes flipped = frame;
            flipped.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ask(target, sample->kind, flipped.data, flipped.len);
        }
    }
}

static void ask_noise(struct target *target, enum proto_kind kind)
{
    uint8_t bytes[PVF__FRAME_HEADER + 64] = {0};
    for (uint8_t len = 0; len <= 64; len++) {
        bytes[0] = len;
        for (size_t i = 0; i < len; i++) {
            bytes[PVF__FRAME_HEADER + i] = (uint8_t)next_random();
        }
        /* Half of them begin like something. */
        if (len >= 2 && len % 2 == 0) {
            bytes[PVF__FRAME_HEADER] &= 1;
            bytes[PVF__FRAME_HEADER + 1] &= 3;
        }
        ask(target, kind, bytes, PVF__FRAME_HEADER + (size_t)len);
    }
}

static void run(enum proto_kind kind)
{
    struct bench_counts before;
    struct target target = {.asked = 0};
    bool executes = kind == PROTO_EXECUTE_ANSWER;
    bench_count(&before);
    bench_fake(fake, "cut", NULL, 0, target.program);
    bench_beside(target.program, "artifact", "artifact", 8);
    /* With one program: with both a host would look into each death with jobs of its own. */
    target.host = bench_host(
        executes ? NULL : target.program, executes ? target.program : NULL, PVF_SECURITY_AS_GIVEN);
    for (size_t i = 0; i < proto_sample_count; i++) {
        if (proto_samples[i].kind == kind) {
            ask_damaged(&target, &proto_samples[i]);
        }
    }
    ask_noise(&target, kind);
    print_message("%zu answers\n", target.asked);
    pvf_host_free(target.host);
    bench_assert_as_before(&before);
}

static void execute_answers(void **state)
{
    (void)state;
    run(PROTO_EXECUTE_ANSWER);
}

static void prepare_answers(void **state)
{
    (void)state;
    run(PROTO_PREPARE_ANSWER);
}

/* A worker that owes the rest of its answer and lives on is waited for, but not for ever. */
static void answers_that_never_end(void **state)
{
    (void)state;
    static const char *const frames[] = {
        "",
        "28",
        "28000000000000",
        "2800000000000000",
        "2800000000000000 00",
        "0300000000000000 0100",
        "0000100000000000 00",
    };
    struct bench_counts before;
    char program[PATH_MAX];
    bench_count(&before);
    bench_fake(fake, "answer", NULL, 0, program);
    pvf_host *host = bench_host(NULL, program, PVF_SECURITY_AS_GIVEN);
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        struct hex_bytes frame = hex_read(frames[i]);
        bench_beside(program, "answer", frame.data, frame.len);
        pvf_outcome outcome = bench_execute(host, &bench.for_the_fake, 0, 60);
        assert_int_equal(outcome.reason, PVF_REASON_STALLED);
        assert_int_not_equal(outcome.verdict, PVF_VERDICT_INVALID);
        pvf_outcome_done(&outcome);
    }
    pvf_host_free(host);
    bench_assert_as_before(&before);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(execute_answers),
        cmocka_unit_test(prepare_answers),
        cmocka_unit_test(answers_that_never_end),
    };
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FAKE_WORKER\n", argv[0]);
        return 2;
    }
    fake = argv[1];
    return cmocka_run_group_tests(tests, bench_set_up, bench_tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The upgraded wire from the event-driven host's side. */
#include "support/test.h"

#include "support/open_files.h"
#include "support/service_fakes.h"

#include <stdio.h>
#include <string.h>

/* Two sets of parameters by turns; on the plain wire each change needs another worker. */
static void one_worker_serves_all_parameters(void **state)
{
    (void)state;
    static const uint8_t sets[2][6] = {{4, 2, 0, 128, 0, 0}, {4, 2, 0, 64, 0, 0}};
    for (int plain = 0; plain < 2; plain++) {
        struct service_fakes fakes;
        pid_t worker = 0;
        unsigned changes = 0;
        service_fakes_make(&fakes, "up-answer", "up-answer", bench_ok_answer);
        fakes.config.execute_workers_max = 1;
        fakes.config.host.plain_protocol = plain == 1;
        fakes.service = service_bench_new(&fakes.config);
        for (unsigned i = 0; i < 6; i++) {
            struct service_bench_reply reply = {0};
            pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
            candidate.code.executor_params = (pvf_bytes){sets[i % 2], sizeof(sets[0])};
            service_bench_execute(fakes.service, &candidate, &reply);
            service_bench_run(fakes.service, &reply, 1);
            service_bench_assert_verdict(&reply, PVF_VERDICT_VALID, PVF_REASON_NONE, "");
            service_bench_reply_done(&reply);
            pid_t now = service_bench_worker("execute", 0);
            changes += worker != 0 && now != worker;
            worker = now;
        }
        assert_int_equal(changes, plain == 1 ? 5 : 0);
        service_fakes_free(&fakes);
    }
}

static void starts_that_fail(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        const char *said;
    } cases[] = {
        {"up-endready", "handshake"},
        {"up-oldready", "ready message: no valid value"},
        {"up-longready", "a frame of 4097 bytes was announced"},
        {"up-noready", "it was not ready in time"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct service_fakes fakes;
        struct service_bench_reply reply = {0};
        size_t before = open_files();
        service_fakes_make(&fakes, "answer", cases[i].mode, bench_ok_answer);
        fakes.config.host.spawn_timeout_ms = 1500;
        fakes.config.spawn_tries_max = 2;
        fakes.service = service_bench_new(&fakes.config);
        const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
        service_bench_execute(fakes.service, &candidate, &reply);
        service_bench_run(fakes.service, &reply, 1);
        service_bench_assert_verdict(&reply, PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, cases[i].said);
        assert_int_equal(reply.spawn_failure, PVF_SPAWN_HANDSHAKE);
        service_bench_reply_done(&reply);
        service_fakes_free(&fakes);
        assert_int_equal(open_files(), before);
    }
}

/* Workers that die with what they were sent, or send what nobody wants. */
static void descriptors_stay_flat(void **state)
{
    (void)state;
    static const char *const modes[] = {"up-die", "up-files", "up-filesready", "up-answer"};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct service_fakes fakes;
        size_t before = open_files();
        service_fakes_new(&fakes, "up-answer", modes[i], bench_ok_answer);
        for (unsigned k = 0; k < 5; k++) {
            struct service_bench_reply reply = {0};
            const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
            service_bench_execute(fakes.service, &candidate, &reply);
            service_bench_run(fakes.service, &reply, 1);
            assert_true(i == 0 || reply.verdict == PVF_VERDICT_VALID);
            service_bench_reply_done(&reply);
        }
        service_fakes_free(&fakes);
        assert_int_equal(open_files(), before);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_serves_all_parameters),
        cmocka_unit_test(starts_that_fail),
        cmocka_unit_test(descriptors_stay_flat),
    };
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FAKE_WORKER\n", argv[0]);
        return 2;
    }
    bench_fake = argv[1];
    return cmocka_run_group_tests(tests, service_fakes_set_up, service_fakes_tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_SERVICE_FAKES_H
#define PVF_TESTS_SUPPORT_SERVICE_FAKES_H

#include "support/host_bench.h"
#include "support/service_bench.h"

/*
 * Services over scripted workers.  A preparer makes an artifact of four bytes; an executor answers
 * as its mode says.  A fake in mode "gate" answers nothing until it is let through; one in mode
 * "tiered" nothing but first tiers.
 */

/* Fixtures of a group; the fake's path is in bench_fake. */
int service_fakes_set_up(void **state);
int service_fakes_tear_down(void **state);

/* A service over a preparer and an executor of these modes, with a fresh cache. */
struct service_fakes {
    char prepare[PATH_MAX / 2];
    char execute[PATH_MAX / 2];
    int prepare_gate; /* -1: it has none */
    int execute_gate;
    pvf_service_config config;
    pvf_service *service;
};
void service_fakes_new(struct service_fakes *fakes,
                       const char *prepare_mode,
                       const char *execute_mode,
                       const char *execute_answer);
/* The same without the service, for a test that changes the configuration. */
void service_fakes_make(struct service_fakes *fakes,
                        const char *prepare_mode,
                        const char *execute_mode,
                        const char *execute_answer);
void service_fakes_free(struct service_fakes *fakes);

/* Lets that many jobs through. */
void service_fakes_open(int gate, size_t count);

/* Four bytes of code, different for each n; a small candidate for it. */
pvf_code service_fakes_code(unsigned n);
pvf_candidate service_fakes_candidate(unsigned n, enum pvf_exec_kind kind);

#endif

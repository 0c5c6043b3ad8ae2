/* SPDX-License-Identifier: Apache-2.0 */
/* poll_loop PREPARE-WORKER EXECUTE-WORKER CACHE DATA: libpvf in a loop that has other work, too. */
#include "adder.h"

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void on_precheck(pvf_service *service, const pvf_precheck_reply *reply)
{
    (void)service;
    bool accepted = reply->status == 0 && reply->outcome->ok;
    (void)printf("precheck: %s\n", accepted ? "accepted" : reply->text);
}

static void on_execute(pvf_service *service, const pvf_execute_reply *reply)
{
    *(int32_t *)reply->user = reply->outcome->verdict;
    (void)printf(
        "execute: %s %s\n", pvf_verdict_name(reply->outcome->verdict), reply->outcome->text);
    pvf_service_shutdown(service, true); /* nothing more is wanted */
}

int main(int argc, char **argv)
{
    static struct adder adder;
    const struct itimerspec often = {{0, 20000000}, {0, 20000000}};
    int32_t verdict = PVF_VERDICT_INTERNAL;
    uint64_t ticks = 0, more;
    pvf_error err = PVF_ERROR_INIT;
    pvf_candidate candidate;
    pvf_service_config config;
    pvf_service *service = NULL;
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC); /* the other work */
    if (argc != 5 || timer < 0 || timerfd_settime(timer, 0, &often, NULL) != 0 ||
        !adder_load(argv[4], &adder, &candidate)) {
        return 2;
    }
    pvf_service_config_init(&config, sizeof config);
    config.host.prepare_worker_path = argv[1];
    config.host.execute_worker_path = argv[2];
    config.host.cache_dir = argv[3];
    int status = pvf_service_new(&config, &service, &err);
    if (status == 0 && (status = pvf_service_precheck(
                            service, &candidate.code, on_precheck, NULL, NULL, &err)) == 0) {
        status = pvf_service_execute(service, &candidate, on_execute, &verdict, NULL, &err);
    }
    while (status == 0 && !pvf_service_is_down(service)) {
        struct pollfd fds[] = {{timer, POLLIN, 0}, {pvf_service_fd(service), POLLIN, 0}};
        (void)poll(fds, 2, pvf_service_timeout_ms(service));
        ticks += (fds[0].revents & POLLIN) != 0 && read(timer, &more, sizeof(more)) > 0 ? more : 0;
        status = pvf_service_process(service, &err); /* callbacks run here */
    }
    (void)printf("other work: %s\n", ticks > 0 ? "done" : "none");
    (void)fprintf(stderr, "%s", err.text);
    pvf_service_free(service);
    (void)close(timer);
    return status == 0 && verdict == PVF_VERDICT_VALID ? 0 : 1;
}

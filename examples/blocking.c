/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocking PREPARE-WORKER EXECUTE-WORKER CACHE DATA: one candidate after the other, for a program
 * (or a thread) that has nothing to do meanwhile.  What each verdict means is spelled out here.
 */
#include "adder.h"

#include <stdlib.h>

/* A reply lives until the callback returns: what is wanted of it is copied. */
struct answer {
    int32_t verdict;
    char text[PVF_OUTCOME_TEXT];
    uint8_t head_hash[32];
};

static void on_execute(pvf_service *service, const pvf_execute_reply *reply)
{
    struct answer *answer = reply->user;
    (void)service;
    answer->verdict = reply->outcome->verdict;
    memcpy(answer->text, reply->outcome->text, sizeof(answer->text));
    memcpy(answer->head_hash, reply->outcome->head_hash, sizeof(answer->head_hash));
}

static void tell(const struct answer *answer)
{
    switch (answer->verdict) {
    case PVF_VERDICT_VALID:
        (void)printf("valid: vote for it; new head ");
        for (size_t i = 0; i < sizeof(answer->head_hash); i++) {
            (void)printf("%02x", answer->head_hash[i]);
        }
        (void)printf("\n");
        break;
    case PVF_VERDICT_INVALID:
        (void)printf("invalid: vote against it: %s\n", answer->text);
        break;
    case PVF_VERDICT_INTERNAL: /* this machine's fault, or code that should not be on the chain */
        (void)printf("internal: do not vote, tell the operator: %s\n", answer->text);
        break;
    case PVF_VERDICT_EXPIRED: /* nobody wants a vote any more */
    default:                  /* possibly invalid: not with pvf_candidate.retry, which decides it */
        (void)printf("no vote: %s\n", answer->text);
        break;
    }
}

static int validate(pvf_service *service, const pvf_candidate *candidate, pvf_error *err)
{
    struct answer answer = {.verdict = PVF_VERDICT_INTERNAL};
    pvf_request_id id = 0;
    int status = pvf_service_execute(service, candidate, on_execute, &answer, &id, err);
    if (status == 0) {
        status = pvf_service_wait(service, id, -1, err);
    }
    if (status == 0) {
        tell(&answer);
    }
    return status;
}

int main(int argc, char **argv)
{
    static struct adder adder;
    pvf_error err = PVF_ERROR_INIT;
    pvf_candidate candidate;
    pvf_service_config config;
    pvf_service *service = NULL;
    if (argc != 5 || !adder_load(argv[4], &adder, &candidate)) {
        (void)fprintf(stderr, "usage: blocking PREPARE-WORKER EXECUTE-WORKER CACHE DATA\n");
        return 2;
    }
    pvf_service_config_init(&config, sizeof config);
    config.host.prepare_worker_path = argv[1];
    config.host.execute_worker_path = argv[2];
    config.host.cache_dir = argv[3];
    int status = pvf_service_new(&config, &service, &err);
    if (status == 0) {
        status = validate(service, &candidate, &err);
    }
    if (status == 0) {
        adder.block_data[0] ^= 1; /* a collator that lies about its state */
        status = validate(service, &candidate, &err);
    }
    if (status != 0) {
        (void)fprintf(stderr, "%s: %s\n", pvf_status_name(status), err.text);
    }
    pvf_service_free(service);
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

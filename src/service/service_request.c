/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the requests that live, and what they were given.  Code is held once, however many requests
 * have it.  Trusts no caller about lengths and kinds.
 */
#include "service/service_state.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/reserved.h"
#include "hash/hash.h"
#include "pvf/status.h"

#include <stdlib.h>
#include <string.h>

/* A longer limit is a mistake, and sums of them must not wrap. */
#define TIMEOUT_MAX_MS ((uint64_t)24 * 3600 * 1000)

static uint64_t hash_of(const struct pvf_service *service, const void *data, size_t len)
{
    return pvf__core_table_hash(service->seed, data, len);
}

/* ---- Copies ---- */

/* Memory for a copy, within what all requests may hold; `what` is for the message. */
static int take_memory(
    struct pvf_service *service, size_t len, const char *what, uint8_t **ret, pvf_error *err)
{
    if (len > service->copied_max_bytes - service->copied_bytes) {
        service->copies_refused = true;
        (void)pvf__error_set(err,
                             PVF_ERR_LIMIT,
                             "%zu bytes of %s: requests hold copies of %llu bytes already, the "
                             "limit (copied_max_bytes) is %llu",
                             len,
                             what,
                             (unsigned long long)service->copied_bytes,
                             (unsigned long long)service->copied_max_bytes);
        return PVF_ERR_LIMIT; /* for analyzers, which do not see into the call */
    }
    uint8_t *memory = malloc(len > 0 ? len : 1);
    if (memory == NULL) {
        (void)pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for %zu bytes of %s", len, what);
        return PVF_ERR_NO_MEMORY;
    }
    service->copied_bytes += len;
    *ret = memory;
    return 0;
}

static void give_back(struct pvf_service *service, uint8_t *memory, size_t len)
{
    if (memory != NULL) {
        free(memory);
        service->copied_bytes -= len;
    }
}

/* Behind what is there already. */
static uint8_t *put(uint8_t *at, pvf_bytes bytes)
{
    if (bytes.len > 0) {
        memcpy(at, bytes.data, bytes.len);
    }
    return at + bytes.len;
}

/* ---- Code ---- */

static struct pvf__service_code *find_code(const struct pvf_service *service,
                                           const uint8_t hash[32])
{
    struct pvf__core_node *node =
        pvf__core_table_first(&service->codes, hash_of(service, hash, 32));
    for (; node != NULL; node = pvf__core_table_next(node)) {
        struct pvf__service_code *code = PVF__CORE_OWNER(node, struct pvf__service_code, node);
        if (memcmp(code->hash, hash, sizeof(code->hash)) == 0) {
            return code;
        }
    }
    return NULL;
}

static void release_code(struct pvf_service *service, struct pvf__service_code *code)
{
    if (code != NULL && --code->users == 0) {
        if (code->shared) {
            pvf__core_table_remove(&service->codes, &code->node);
        }
        give_back(service, code->owned, code->bytes.len);
        free(code);
    }
}

static int new_code(struct pvf_service *service,
                    const pvf_code *given,
                    const uint8_t hash[32],
                    struct pvf__service_code **ret,
                    pvf_error *err)
{
    struct pvf__service_code *code = calloc(1, sizeof(*code));
    if (code == NULL) {
        (void)pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a code");
        return PVF_ERR_NO_MEMORY;
    }
    code->bytes = given->code;
    memcpy(code->hash, hash, sizeof(code->hash));
    if (!given->borrow) {
        int status = take_memory(service, given->code.len, "code", &code->owned, err);
        if (status != 0) {
            free(code);
            return status;
        }
        (void)put(code->owned, given->code);
        code->bytes.data = code->owned;
    }
    *ret = code;
    return 0;
}

/* Shared by all that have the same, but for what is borrowed, which goes with its owner. */
static int take_code(struct pvf_service *service,
                     const pvf_code *given,
                     struct pvf__service_code **ret,
                     pvf_error *err)
{
    uint8_t hash[32];
    pvf__hash_blake2b_256(given->code.data, given->code.len, hash);
    struct pvf__service_code *code = find_code(service, hash);
    if (code == NULL) {
        int status = new_code(service, given, hash, &code, err);
        if (status != 0) {
            return status;
        }
        code->shared = !given->borrow;
        if (code->shared) {
            pvf__core_table_put(&service->codes, &code->node, hash_of(service, hash, 32));
        }
    }
    code->users++;
    *ret = code;
    return 0;
}

/* ---- Requests ---- */

static int check_code(const pvf_code *code, pvf_error *err)
{
    if (code == NULL || (code->code.data == NULL && code->code.len > 0) ||
        (code->executor_params.data == NULL && code->executor_params.len > 0)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "code is needed");
    }
    size_t room = PVF__FRAME_MAX_PREPARE_REQUEST - PVF__HOST_PREPARE_EXTRA;
    if (code->executor_params.len > PVF__FRAME_MAX_PARAMS ||
        code->code.len > room - code->executor_params.len) {
        return pvf__error_set(err,
                              PVF_ERR_LIMIT,
                              "%zu bytes of code and %zu of parameters; limits %zu and %zu",
                              code->code.len,
                              code->executor_params.len,
                              room - PVF__FRAME_MAX_PARAMS,
                              PVF__FRAME_MAX_PARAMS);
    }
    return PVF__RESERVED_CHECK(code->reserved, "pvf_code", err);
}

static int take_params(struct pvf_service *service,
                       struct pvf__service_request *request,
                       pvf_bytes given,
                       pvf_error *err)
{
    if (given.len > 0) {
        int status = take_memory(service, given.len, "parameters", &request->params_owned, err);
        if (status != 0) {
            return status;
        }
        request->params_len = given.len;
        (void)put(request->params_owned, given);
    }
    return pvf__host_params((pvf_bytes){request->params_owned, given.len}, &request->params, err);
}

static int set_timeout(uint64_t asked, uint64_t usual, uint64_t *ret, pvf_error *err)
{
    uint64_t ms = asked != 0 ? asked : usual;
    if (ms > TIMEOUT_MAX_MS) {
        return pvf__error_set(err,
                              PVF_ERR_LIMIT,
                              "a time limit of %llu ms, the most is %llu",
                              (unsigned long long)ms,
                              (unsigned long long)TIMEOUT_MAX_MS);
    }
    *ret = ms;
    return 0;
}

/* What the core is told about the code. */
static int describe(struct pvf__service_request *request, const pvf_code *code, pvf_error *err)
{
    const struct pvf__executor_params *params = &request->params;
    struct pvf__core_code *wanted = &request->wanted;
    bool prechecks = request->kind == PVF__SERVICE_PRECHECK;
    int status = set_timeout(code->timeout_ms,
                             prechecks ? params->precheck_timeout_ms : params->prepare_timeout_ms,
                             &request->prepare_timeout_ms,
                             err);
    if (status == 0) {
        status = pvf__executor_params_prep_hash(params, wanted->key.prep_hash);
    }
    if (status != 0) {
        return status;
    }
    memcpy(wanted->key.code_hash, request->code->hash, sizeof(wanted->key.code_hash));
    pvf__executor_params_hash(params, wanted->params_hash);
    /* An execution can do without the trial; it meets what the trial would have met. */
    wanted->kind =
        request->kind == PVF__SERVICE_EXECUTE ? PVF__CORE_COMPILATION : PVF__CORE_PRECHECKING;
    wanted->cpu_limit_ns = request->prepare_timeout_ms * PVF__CORE_MS;
    wanted->memory_limit = params->has_prechecking_max_memory ? params->prechecking_max_memory : 0;
    wanted->bomb_limit = code->bomb_limit != 0 ? code->bomb_limit : PVF__HOST_BOMB_LIMIT;
    return 0;
}

int pvf__service_request_new(struct pvf_service *service,
                             enum pvf__service_kind kind,
                             const pvf_code *code,
                             void *user,
                             struct pvf__service_request **ret,
                             pvf_error *err)
{
    int status = check_code(code, err);
    if (status != 0) {
        return status;
    }
    struct pvf__service_request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a request");
    }
    pvf__core_list_init(&request->all);
    pvf__core_list_init(&request->link);
    request->kind = kind;
    request->user = user;
    request->came_at = pvf__clock_monotonic_ns();
    status = take_params(service, request, code->executor_params, err);
    if (status == 0) {
        status = take_code(service, code, &request->code, err);
    }
    if (status == 0) {
        status = describe(request, code, err);
    }
    if (status != 0) {
        pvf__service_request_free(service, request);
        return status;
    }
    *ret = request;
    return 0;
}

static int check_candidate(const pvf_candidate *candidate, pvf_error *err)
{
    const pvf_execute_request *execution = &candidate->execution;
    const size_t room = PVF__FRAME_MAX_EXECUTE_REQUEST - PVF__HOST_EXECUTE_EXTRA;
    if (candidate->kind < PVF_EXEC_DISPUTE || candidate->kind > PVF_EXEC_BACKING) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "%d is no kind of execution", candidate->kind);
    }
    if (execution->descriptor_version < PVF_DESCRIPTOR_V1 ||
        execution->descriptor_version > PVF_DESCRIPTOR_UNKNOWN) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "%d is no descriptor version", execution->descriptor_version);
    }
    if ((execution->parent_head.data == NULL && execution->parent_head.len > 0) ||
        (execution->pov.data == NULL && execution->pov.len > 0)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a head and a PoV are needed");
    }
    if (execution->parent_head.len > room ||
        execution->pov.len > room - execution->parent_head.len) {
        return pvf__error_set(err,
                              PVF_ERR_LIMIT,
                              "a head of %zu and a PoV of %zu bytes, limit %zu in all",
                              execution->parent_head.len,
                              execution->pov.len,
                              room);
    }
    int status = PVF__RESERVED_CHECK(candidate->reserved, "pvf_candidate", err);
    return status != 0 ? status
                       : PVF__RESERVED_CHECK(execution->reserved, "pvf_execute_request", err);
}

/* Head and PoV in one piece of memory. */
static int
copy_candidate(struct pvf_service *service, struct pvf__service_request *request, pvf_error *err)
{
    pvf_bytes *head = &request->execution.parent_head;
    pvf_bytes *pov = &request->execution.pov;
    uint8_t *copy = NULL;
    int status = take_memory(service, head->len + pov->len, "head and PoV", &copy, err);
    if (status != 0) {
        return status;
    }
    request->candidate_owned = copy;
    request->candidate_len = head->len + pov->len;
    uint8_t *behind = put(copy, *head);
    (void)put(behind, *pov);
    head->data = copy;
    pov->data = behind;
    return 0;
}

int pvf__service_request_set_candidate(struct pvf_service *service,
                                       struct pvf__service_request *request,
                                       const pvf_candidate *candidate,
                                       pvf_error *err)
{
    int status = check_candidate(candidate, err);
    if (status != 0) {
        return status;
    }
    request->cls = (enum pvf__core_class)candidate->kind;
    bool backs =
        request->cls == PVF__CORE_BACKING || request->cls == PVF__CORE_BACKING_SYSTEM_PARAS;
    request->wanted.critical = !backs;
    request->retries = candidate->retry;
    if (candidate->deadline_ms != 0) {
        request->deadline_ns = request->came_at + candidate->deadline_ms * PVF__CORE_MS;
    }
    memcpy(request->leaf, candidate->scheduling_leaf, sizeof(request->leaf));
    request->execution = candidate->execution;
    request->execution.artifact_path = NULL;
    /* The worker was told the parameters when it was started. */
    request->execution.executor_params = (pvf_bytes){0};
    status = set_timeout(candidate->execution.timeout_ms,
                         backs ? request->params.backing_timeout_ms
                               : request->params.approval_timeout_ms,
                         &request->timeout_ms,
                         err);
    if (status == 0 && !candidate->code.borrow) {
        status = copy_candidate(service, request, err);
    }
    return status;
}

const char *pvf__service_kind_name(const struct pvf__service_request *request)
{
    static const char *const classes[] = {
        [PVF__CORE_DISPUTE] = "dispute",
        [PVF__CORE_APPROVAL] = "approval",
        [PVF__CORE_BACKING_SYSTEM_PARAS] = "backing_system_paras",
        [PVF__CORE_BACKING] = "backing",
    };
    switch (request->kind) {
    case PVF__SERVICE_PRECHECK:
        return "precheck";
    case PVF__SERVICE_HEADS_UP:
        return "heads_up";
    case PVF__SERVICE_SELF_TEST:
        return "self_test";
    case PVF__SERVICE_EXECUTE:
    default:
        return classes[request->cls];
    }
}

void pvf__service_request_free(struct pvf_service *service, struct pvf__service_request *request)
{
    release_code(service, request->code);
    give_back(service, request->params_owned, request->params_len);
    give_back(service, request->candidate_owned, request->candidate_len);
    pvf_outcome_done(&request->outcome);
    free(request);
}

/* ---- The tables ---- */

struct pvf__service_request *pvf__service_request_find(const struct pvf_service *service,
                                                       uint64_t id)
{
    struct pvf__core_node *node =
        pvf__core_table_first(&service->by_id, hash_of(service, &id, sizeof(id)));
    for (; node != NULL; node = pvf__core_table_next(node)) {
        struct pvf__service_request *request =
            PVF__CORE_OWNER(node, struct pvf__service_request, by_id);
        if (request->id == id) {
            return request;
        }
    }
    return NULL;
}

struct pvf__service_request *pvf__service_request_of_core(const struct pvf_service *service,
                                                          uint64_t core_id)
{
    struct pvf__core_node *node =
        pvf__core_table_first(&service->by_core_id, hash_of(service, &core_id, sizeof(core_id)));
    for (; node != NULL; node = pvf__core_table_next(node)) {
        struct pvf__service_request *request =
            PVF__CORE_OWNER(node, struct pvf__service_request, by_core_id);
        if (request->core_id == core_id) {
            return request;
        }
    }
    return NULL;
}

void pvf__service_request_enter(struct pvf_service *service, struct pvf__service_request *request)
{
    request->id = ++service->next_id;
    pvf__core_table_put(
        &service->by_id, &request->by_id, hash_of(service, &request->id, sizeof(request->id)));
    pvf__core_list_append(&service->requests, &request->all);
    service->requests_count += request->kind != PVF__SERVICE_SELF_TEST;
}

void pvf__service_request_leave(struct pvf_service *service, struct pvf__service_request *request)
{
    pvf__service_withdrawn(service, request);
    pvf__core_list_remove(&request->link);
    pvf__core_list_remove(&request->all);
    pvf__core_table_remove(&service->by_id, &request->by_id);
    service->requests_count -= request->kind != PVF__SERVICE_SELF_TEST;
}
